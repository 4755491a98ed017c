"""The check of targets of Amazon Bedrock by the gateway: a tiny response by each of them."""

from collections.abc import Mapping

from antiphon.settings.targets import BedrockTarget, Target
from infra.doctor.findings import Finding, advise_on_response, fails, ok, skipped
from infra.doctor.responses import ApiResponse
from infra.doctor.session import Session

PROMPT = "Say yes."
MAX_TOKENS = 64  # some models think before they answer
REGIONS = "https://docs.aws.amazon.com/bedrock/latest/userguide/models-regions.html"
ADVICE_BY_CODE: Mapping[str, str] = {
    "upstream_auth": "AWS refuses the role of the functions. `antiphon doctor --stage` says which "
    "permission is missing. If none is, the account has no access to the model: open the model in "
    "the console of Bedrock, in the target's Region; some providers want a form or an agreement.",
    "model_not_found": "Bedrock has no such model in the target's region, or only by an inference "
    f"profile such as eu.… or global.…: correct models or region ({REGIONS}). If the message says "
    "that no target serves it, deploy this gateway.toml.",
    "upstream_not_reached": "Is region the name of a Region with this endpoint? `antiphon doctor "
    "--stage` looks for its host. Read the log group of the api function.",
}


def pick_models(targets: Mapping[str, Target]) -> dict[str, str | None]:
    """Return a model of each target of Bedrock; None where it names patterns only."""
    return {
        name: next((model for model in target.models if "*" not in model), None)
        for name, target in targets.items()
        if isinstance(target, BedrockTarget)
    }


def check_bedrock(session: Session) -> Finding:
    models = session.plan.bedrock
    if not models:
        return ok("the local gateway.toml has no target of Bedrock")
    findings = [_check_target(session, name, model) for name, model in models.items()]
    return next((each for each in findings if each.verdict != "ok"), findings[0])


def _check_target(session: Session, name: str, model: str | None) -> Finding:
    if model is None:
        return skipped(f"{name} names patterns only", "Name one of its models with --model.")
    response = session.create(model=model, input=PROMPT, max_output_tokens=MAX_TOKENS, store=False)
    if not response.is_ok:
        return fails(f"{name}, {model}: {response.summary}", _advise(response))
    target = response.headers.get("x-antiphon-target")
    if target != name:
        advice = "Have a model in gateway.toml that only this target serves."
        return skipped(f"{model} was served by {target}, which says nothing of {name}", advice)
    return ok(f"{model} by {name} in {response.seconds:.1f} s")


def _advise(response: ApiResponse) -> str | None:
    return ADVICE_BY_CODE.get(str(response.error.get("code"))) or advise_on_response(response)
