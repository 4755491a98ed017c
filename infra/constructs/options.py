"""What a deployment can configure: `antiphon:<option>` in cdk.json or `-c antiphon:<option>=…`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

PREFIX = "antiphon:"
# fmt: off
LOG_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365,
    400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)
# fmt: on


class OptionsError(ValueError):
    """The options are wrong; the message has one line for each invalid key."""


def _check_log_days(days: int) -> int:
    if days not in LOG_DAYS:
        raise ValueError(f"CloudWatch Logs accepts one of {', '.join(map(str, LOG_DAYS))} days")
    return days


def stack_name(stage: str) -> str:
    """Return the name of the CloudFormation stack of a stage."""
    return f"Antiphon-{stage}"


type Canary = Literal[
    "10 percent 5 minutes",
    "10 percent 10 minutes",
    "10 percent 15 minutes",
    "10 percent 30 minutes",
    "10 percent every 1 minute",
    "10 percent every 2 minutes",
    "10 percent every 3 minutes",
    "10 percent every 10 minutes",
]


def _split(value: object) -> object:
    """Split a text of the command line at its commas; cdk.json has a list."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


type Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d$")]
type Arn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:[a-z-]+:[a-z0-9-]+:\d{12}:")]


class Options(BaseModel):
    """The options of one stage; an account can have several stages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: str = Field(
        "prod",
        pattern=r"^[a-z][a-z0-9-]{0,19}$",
        description="Name of this installation; the names of all its resources contain it.",
    )
    production: bool | None = Field(
        None,
        description="Whether data is protected: deletion and termination protection, and the "
        "table, secrets, key and logs are retained when the stack is deleted. Default: true if the "
        "stage's name begins with prod.",
    )
    region: Region | None = Field(
        None,
        description="Region of the stack, which two other options need. Default: the one of your "
        "AWS credentials, and the template deploys to any.",
    )
    replicas: Annotated[tuple[Region, ...], BeforeValidator(_split)] = Field(
        (),
        description="More Regions that have a copy of the table, such as eu-central-1,eu-west-3. "
        "The functions run in the stack's Region only: see docs/second-region.md.",
    )
    table_arn: Arn | None = Field(
        None,
        pattern=r":dynamodb:[a-z0-9-]+:\d{12}:table/[A-Za-z0-9_.-]+$",
        description="Existing table that the stack uses in place of one of its own: a replica in "
        "this Region, or a table that was restored.",
    )
    table_stream_arn: Arn | None = Field(
        None,
        pattern=r":table/[A-Za-z0-9_.-]+/stream/",
        description="Stream of that table, with new and old images. Without it no usage is "
        "counted: only one Region may count.",
    )
    rest: bool = Field(default=True, description="Create the API Gateway REST API.")
    url: bool = Field(default=True, description="Create the Lambda Function URL.")
    docs: bool = Field(
        default=True, description="Serve /docs, /openapi.json and /console without a key."
    )
    arch: Literal["arm64", "x86_64"] = Field(
        "arm64", description="Processor architecture of the functions."
    )
    memory: int = Field(
        512, ge=128, le=10_240, description="Memory of the API function in MB; CPU grows with it."
    )
    reserved_concurrency: int | None = Field(
        None,
        ge=1,
        description="Maximum of concurrent requests: it limits the cost of both endpoints, and is "
        "not available to the account's other functions. Default: the account's limit.",
    )
    settle_concurrency: int = Field(
        10,
        ge=2,
        le=1_000,
        description="Maximum of concurrent invocations that poll unfinished responses, so that "
        "many of them at once do not take the account's concurrency from the API.",
    )
    provisioned_concurrency: int | None = Field(
        None,
        ge=1,
        description="Environments of the API function that are always started: no request waits "
        "for a start, and they cost money when the API is idle. Default: none.",
    )
    snap_start: bool = Field(
        default=False,
        description="Start the API function from a snapshot of its initialised process. AWS bills "
        "the snapshot of each version by the hour, and each start.",
    )
    canary: Canary | None = Field(
        None,
        description="Share of the requests that a new version gets first, and for how long; an "
        "alarm in that time brings back the previous version. Default: all requests at once.",
    )
    throttle_rate: float = Field(
        100, gt=0, le=10_000, description="Requests per second that the REST API accepts."
    )
    throttle_burst: int = Field(
        200, ge=1, le=5_000, description="Size of a burst above that rate that it accepts."
    )
    log_days: Annotated[int, AfterValidator(_check_log_days)] = Field(
        30, description="Retention of logs in days. Logs contain no prompts, responses or keys."
    )
    log_level: Literal["DEBUG", "INFO", "WARN", "ERROR"] = Field(
        "INFO",
        description="The lowest level that the functions log. Above INFO, the lines of requests "
        "are missing, and with them most of the saved queries; metrics and failures remain.",
    )
    account_log_role: bool = Field(
        default=True,
        description="Set the account's role with which API Gateway writes logs; there is one for "
        "each Region. Disable it if another stack has set it.",
    )
    customer_managed_key: bool = Field(
        default=False,
        description="Create a KMS key, rotated each year, for table, secrets, queues and logs. "
        "Default: keys that AWS owns.",
    )
    firewall: bool = Field(default=False, description="Protect the REST API with AWS WAF.")
    firewall_rate: int = Field(
        2_000,
        ge=10,
        le=2_000_000_000,
        description="Requests from one address in five minutes that the firewall accepts.",
    )
    domain_name: str | None = Field(
        None,
        pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$",
        description="Domain name of the REST API, such as ai.example.com.",
    )
    certificate_arn: Arn | None = Field(
        None, description="ACM certificate of the domain name, in the stack's Region."
    )
    hosted_zone_id: str | None = Field(
        None,
        pattern=r"^Z[A-Z0-9]{1,31}$",
        description="Route 53 zone for the DNS record. Without it, add the record yourself.",
    )
    alarm_topic_arn: Arn | None = Field(
        None, description="SNS topic for the alarms. Without it, the stack creates one."
    )
    alarm_email: str | None = Field(
        None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="Address that is subscribed to the topic that the stack creates.",
    )

    @property
    def keeps_data(self) -> bool:
        return self.stage.startswith("prod") if self.production is None else self.production

    @model_validator(mode="after")
    def _check_conflicts(self) -> Self:
        for conflicts, message in self._conflicts():
            if conflicts:
                raise ValueError(f"{PREFIX}{message}")
        return self

    def _region_conflicts(self) -> list[tuple[bool, str]]:
        """A key or a replica stands in the template by its Region, which must be known."""
        region_is_missing = self.region is None
        return [
            (
                self.customer_managed_key and region_is_missing,
                "region: antiphon:customer_managed_key needs it, such as eu-west-1",
            ),
            (
                bool(self.replicas) and region_is_missing,
                "region: antiphon:replicas needs it, such as eu-west-1",
            ),
            (
                bool(self.replicas and self.table_arn),
                "replicas: the stack that owns the table has this option, not one that uses it",
            ),
            (
                not (self.table_stream_arn or "").startswith(f"{self.table_arn}/")
                and self.table_stream_arn is not None,
                "table_stream_arn: must be a stream of antiphon:table_arn",
            ),
            (self.region in self.replicas, "replicas: antiphon:region has the table already"),
            (len({*self.replicas}) < len(self.replicas), "replicas: a Region is named twice"),
            (
                bool(self.replicas) and self.customer_managed_key,
                "replicas: not with antiphon:customer_managed_key; the key is in one Region",
            ),
        ]

    def _conflicts(self) -> list[tuple[bool, str]]:
        has_domain, has_certificate = self.domain_name is not None, self.certificate_arn is not None
        return [
            *self._region_conflicts(),
            (
                (self.provisioned_concurrency or 0) > (self.reserved_concurrency or float("inf")),
                "provisioned_concurrency: must not exceed antiphon:reserved_concurrency",
            ),
            (
                self.snap_start and self.provisioned_concurrency is not None,
                "snap_start: not with antiphon:provisioned_concurrency; Lambda refuses both",
            ),
            (not (self.rest or self.url), "url: must be true if antiphon:rest is false"),
            (self.firewall and not self.rest, "firewall: needs antiphon:rest"),
            (
                self.firewall and self.url,
                "url: must be false with antiphon:firewall, which cannot protect a Function URL",
            ),
            (has_domain and not self.rest, "domain_name: needs antiphon:rest"),
            (has_domain and not has_certificate, "certificate_arn: antiphon:domain_name needs it"),
            (has_certificate and not has_domain, "domain_name: antiphon:certificate_arn needs it"),
            (
                bool(self.hosted_zone_id) and not has_domain,
                "hosted_zone_id: needs antiphon:domain_name",
            ),
            (
                bool(self.alarm_topic_arn and self.alarm_email),
                "alarm_email: not with antiphon:alarm_topic_arn; subscribe it there yourself",
            ),
        ]


def parse_options(context: Mapping[str, Any]) -> Options:
    """Read the options from the CDK context; raise OptionsError if one is invalid."""
    values = {
        key.removeprefix(PREFIX): value
        for key, value in context.items()
        if key.startswith(PREFIX) and value not in ("", None)  # `-c antiphon:memory=` resets it
    }
    try:
        return Options.model_validate(values)
    except ValidationError as exc:
        raise OptionsError("\n".join(map(_format_error, exc.errors()))) from exc


def _format_error(error: Any) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = f"there is no such option; the options are {', '.join(Options.model_fields)}"
    return ": ".join([*(f"{PREFIX}{key}" for key in error["loc"]), message])
