"""What a deployment may choose: `antiphon:<option>` in cdk.json, or `-c antiphon:<option>=…`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
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
    """The options are wrong; the message has one line for each wrong key."""


def _kept_by_cloudwatch(days: int) -> int:
    if days not in LOG_DAYS:
        raise ValueError(f"CloudWatch Logs keeps for one of {', '.join(map(str, LOG_DAYS))} days")
    return days


def stack_name(stage: str) -> str:
    """By which the stack is deployed, and found again."""
    return f"Antiphon-{stage}"


type Arn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:[a-z-]+:[a-z0-9-]+:\d{12}:")]


class Options(BaseModel):
    """One stage's choices; several stages stand side by side in one account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: str = Field(
        "prod",
        pattern=r"^[a-z][a-z0-9-]{0,19}$",
        description="Name of this installation; it stands in the name of all that is made.",
    )
    production: bool | None = Field(
        None,
        description="Whether data outlives mistakes: deletion and termination protection, and "
        "table, secrets, key and logs kept when the stack goes. Default: whether the stage's name "
        "begins with prod.",
    )
    rest: bool = Field(default=True, description="The API Gateway REST API as a door.")
    url: bool = Field(default=True, description="The Lambda Function URL as a door.")
    arch: Literal["arm64", "x86_64"] = Field("arm64", description="Processor of the functions.")
    memory: int = Field(
        512, ge=128, le=10_240, description="MB of the API function; more brings more CPU."
    )
    reserved_concurrency: int | None = Field(
        None,
        ge=1,
        description="Requests answered at once, and no more: it bounds cost at both doors, and "
        "takes its share from the account's other functions. Default: the account's limit.",
    )
    throttle_rate: float = Field(
        100, gt=0, le=10_000, description="Requests per second that the REST API lets through."
    )
    throttle_burst: int = Field(
        200, ge=1, le=5_000, description="Requests beyond that rate that it takes at once."
    )
    log_days: Annotated[int, AfterValidator(_kept_by_cloudwatch)] = Field(
        30, description="Days that logs are kept. They hold no prompts, answers or keys."
    )
    log_level: Literal["DEBUG", "INFO", "WARN", "ERROR"] = Field(
        "INFO", description="The least severe lines that the functions log."
    )
    account_log_role: bool = Field(
        default=True,
        description="Set the account's one role through which API Gateway writes logs. Switch it "
        "off where another stack has set it in this Region.",
    )
    customer_managed_key: bool = Field(
        default=False,
        description="A KMS key of your own, rotated each year, for table, secrets, queues and "
        "logs; without it AWS's own keys.",
    )
    firewall: bool = Field(default=False, description="AWS WAF before the REST API.")
    firewall_rate: int = Field(
        2_000,
        ge=10,
        le=2_000_000_000,
        description="Requests of one address in five minutes that the firewall lets through.",
    )
    domain_name: str | None = Field(
        None,
        pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$",
        description="Your name for the REST API, such as ai.example.com.",
    )
    certificate_arn: Arn | None = Field(
        None, description="ACM certificate of that name, in the stack's Region."
    )
    hosted_zone_id: str | None = Field(
        None,
        pattern=r"^Z[A-Z0-9]{1,31}$",
        description="Route 53 zone that gets the name's record. Without it you add the record.",
    )
    alarm_topic_arn: Arn | None = Field(
        None, description="SNS topic that alarms go to. Without it the stack makes one."
    )
    alarm_email: str | None = Field(
        None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="Address that gets the alarms of the topic that the stack makes.",
    )

    @property
    def keeps_data(self) -> bool:
        return self.stage.startswith("prod") if self.production is None else self.production

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        for wrong, because in self._conflicts():
            if wrong:
                raise ValueError(f"{PREFIX}{because}")
        return self

    def _conflicts(self) -> list[tuple[bool, str]]:
        named, certified = self.domain_name is not None, self.certificate_arn is not None
        return [
            (not (self.rest or self.url), "url: must be on where antiphon:rest is off"),
            (
                self.firewall and not self.rest,
                "firewall: stands before antiphon:rest, which is off",
            ),
            (named and not self.rest, "domain_name: is a name for antiphon:rest, which is off"),
            (named and not certified, "certificate_arn: must come with antiphon:domain_name"),
            (certified and not named, "domain_name: must come with antiphon:certificate_arn"),
            (bool(self.hosted_zone_id) and not named, "hosted_zone_id: needs antiphon:domain_name"),
            (
                bool(self.alarm_topic_arn and self.alarm_email),
                "alarm_email: subscribe it to the topic antiphon:alarm_topic_arn yourself",
            ),
        ]


def read(context: Mapping[str, Any]) -> Options:
    """Check the context's own keys; raise OptionsError with one line for each wrong one."""
    given = {
        key.removeprefix(PREFIX): value
        for key, value in context.items()
        if key.startswith(PREFIX) and value not in ("", None)  # `-c antiphon:memory=` unsets
    }
    try:
        return Options.model_validate(given)
    except ValidationError as exc:
        raise OptionsError("\n".join(map(_line, exc.errors()))) from exc


def _line(error: Any) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = f"there is no such option; there are {', '.join(Options.model_fields)}"
    return ": ".join([*(f"{PREFIX}{key}" for key in error["loc"]), message])
