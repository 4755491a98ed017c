"""Finds the policies of a caller, and refuses what one of them does not allow.

Those of all requests, of the tenant and of the key hold together: each of them must allow it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from antiphon.auth import Caller
from antiphon.errors import PolicyViolation
from antiphon.policies.rules import Rules, compile_rules
from antiphon.policies.violations import BodyKind, PolicyBody, find_violations
from antiphon.providers.provider import Candidate
from antiphon.schema.create import CreateResponse, RequestBody
from antiphon.settings.config import Config


@dataclass(frozen=True, eq=False, repr=False)
class Policies:
    general: tuple[Rules, ...]  # of all requests: one or none
    named: Mapping[str, Rules]
    by_tenant: Mapping[str, str]  # name of the policy by tenant

    @classmethod
    def from_config(cls, config: Config) -> Self | None:
        """Return None where no policy is configured: a request then costs nothing more."""
        if config.policy is None and not config.policies:
            return None
        general = () if config.policy is None else (compile_rules("[policy]", config.policy),)
        named = {n: compile_rules(f"[policies.{n}]", p) for n, p in config.policies.items()}
        tenants = {n: t.policy for n, t in config.tenants.items() if t.policy is not None}
        return cls(general, named, tenants)

    def of(self, caller: Caller) -> Sequence[Rules]:
        """Return the policies that hold; `Auth` has refused a key whose policy is not there."""
        return self.select(caller.tenant, caller.limits.policy)

    def select(self, tenant: str | None, policy: str | None) -> Sequence[Rules]:
        """Return the policies that hold for a tenant and for a key with this policy."""
        names = self.by_tenant.get(tenant or ""), policy
        if names == (None, None):
            return self.general
        return *self.general, *(self.named[name] for name in dict.fromkeys(names) if name)

    def check(self, body: RequestBody, caller: Caller, content: bytes, kind: BodyKind) -> None:
        """Raise PolicyViolation for the first thing that a policy does not allow.

        `content`: the JSON of the body.
        """
        judged = PolicyBody(kind, body.document, len(content))
        for violation in find_violations(judged, self.of(caller)):
            raise violation.error

    def apply(self, body: CreateResponse, caller: Caller, content: bytes) -> CreateResponse:
        """Return the body of a create as it may be sent; raise as `check`."""
        self.check(body, caller, content, "create")
        forces = any(rules.policy.store == "force_false" for rules in self.of(caller))
        return body.without_storing() if forces and body.store is not False else body

    def permitted(self, found: Iterable[Candidate], caller: Caller) -> tuple[Candidate, ...]:
        """Return the candidates to which the caller's data may go."""
        policies = self.of(caller)
        return tuple(
            each for each in found if all(rules.permits_target(each.target) for rules in policies)
        )

    def target_refusal(self, targets: Iterable[str], caller: Caller) -> PolicyViolation:
        """Return the error for a request that only these targets could serve."""
        labels = [r.label("targets") for r in self.of(caller) if r.policy.targets is not None]
        names = ", ".join(f"'{name}'" for name in sorted(targets))
        return PolicyViolation(
            f"The request can only be served by {names}, which the policy {' or '.join(labels)} "
            "does not allow."
        )
