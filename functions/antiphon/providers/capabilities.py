"""What targets serve beyond a plain create, and the choice of those that serve a request.

A provider's file says what its API has; `gateway.toml` can take parts of it away from a target.
"""

from collections.abc import Collection, Iterable, Mapping

from antiphon.errors import NotSupportedByTarget
from antiphon.providers.provider import Candidate, provider_of
from antiphon.settings.targets import Capability, Target

type Served = Mapping[str, frozenset[Capability]]  # by target

NAMES: Mapping[Capability, str] = {
    "background": "background responses",
    "retrieve": "the retrieval of responses",
    "resume": "the resumption of streams",
    "delete": "the deletion of responses",
    "input_items": "the input items of responses",
    "input_tokens": "the count of input tokens",
    "compact": "compaction",
    "conversations": "the Conversations API",
    "files": "files",
    "uploads": "uploads",
    "vector_stores": "vector stores",
    "containers": "containers",
    "batches": "batches",
    "skills": "skills",
}
HINTS: Mapping[Capability, str] = {
    "background": " Send the request without 'background'.",
    "conversations": " Chain responses with 'previous_response_id' instead.",
}
CODES: Mapping[Capability, str] = {"conversations": "conversations_not_supported_by_target"}


def served_by(targets: Mapping[str, Target]) -> Served:
    """Return what each target serves: what its provider does, without what its section excludes."""
    return {
        name: frozenset(provider_of(target).capabilities) - target.excluded
        for name, target in targets.items()
    }


def select_capable(
    candidates: Iterable[Candidate], needs: Collection[Capability], served: Served
) -> tuple[Candidate, ...]:
    """Return the candidates that serve all of `needs`; raise NotSupportedByTarget without any.

    No candidates at all is another error than that: then this returns none.
    """
    considered = tuple(candidates)
    capable = tuple(each for each in considered if served[each.target].issuperset(needs))
    if considered and not capable:
        raise not_supported(needs, [each.target for each in considered])
    return capable


def not_supported(needs: Collection[Capability], targets: Iterable[str]) -> NotSupportedByTarget:
    """Build the error that says what is missing, and which targets were considered."""
    missing = " and ".join(NAMES[each] for each in needs)
    considered = ", ".join(sorted(targets)) or "none"
    hints = "".join(HINTS.get(each, "") for each in needs)
    codes = (CODES[each] for each in needs if each in CODES)
    return NotSupportedByTarget(
        f"No target for this request serves {missing}. Considered: {considered}.{hints}",
        code=next(codes, None),
    )
