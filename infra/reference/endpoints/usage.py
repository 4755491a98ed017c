"""What the tenant's requests came to, which OpenAI tells to administrators alone."""

from antiphon.schema.usage import UsageQuery, UsageReport
from infra.reference import parameters
from infra.reference.endpoints.endpoint import Endpoint
from infra.reference.examples import usage

USAGE = (
    Endpoint(
        "getUsage",
        "GET /usage",
        "Usage",
        "Tell what was used",
        "Sums up the tenant's requests, tokens and their price, by day, model, target and key. "
        "Each response is counted once, as soon as its end is known, with the provider's own "
        "figures, on the day (UTC) on which it was begun: days that are past may grow by what ends "
        "late. An unknown parameter is refused.",
        UsageReport,
        query=tuple(parameters.of(UsageQuery)),
        examples=usage.REPORTS,
        answered_by="gateway",
        ours=True,
    ),
)
