"""What the tables of `gateway.toml` have in common: their base class, and their types of values."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

# Headers that identify the caller or a credential, or describe one of the two connections.
PRIVATE_HEADERS = re.compile(
    r"(?:.*-)?(?:authorization|authenticate|api-?key|cookie2?|secret|password|credentials?)(?:-.*)?"
    r"|.*client-?ip|x-real-ip|forwarded.*|x-forwarded-.*|via|from|origin|referer|user-agent"
    r"|openai-(?:organization|project)|x-antiphon-.*|cf-.*|cloudfront-.*|x-amz.*|sec-.*|proxy-.*"
    r"|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|http2-settings"
    r"|(?:content|accept)-encoding|content-length|alt-svc|strict-transport-security"
)


def _check_header(name: str) -> str:
    if PRIVATE_HEADERS.fullmatch(name):
        raise ValueError("identifies a caller, a connection or a credential, and never passes")
    return name


type Period = Literal["day", "month"]

Count = Annotated[int, Field(ge=1)]
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=900)]
HeaderName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9!#$%&'+.^_`|~-]+\*?$"),  # RFC 9110, 5.1, and a wildcard
    AfterValidator(_check_header),
]
HeaderField = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,100}$")]
SecretArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:secretsmanager:[!-~]+$")]
FunctionArn = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[!-~]+$"),
]
GuardrailName = Annotated[  # of Amazon Bedrock: ID:VERSION
    str, StringConstraints(pattern=r"^[a-z0-9]{1,64}:(DRAFT|[0-9]{1,8})$")
]
EventBusName = Annotated[
    str,
    StringConstraints(
        pattern=r"^(?:default|arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/[A-Za-z0-9._/-]{1,256})$"
    ),
]
HeaderText = Annotated[str, StringConstraints(pattern=r"^[ -~]*$")]
ClaimName = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
Audience = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,500}$")]
AwsRegion = Annotated[
    str, StringConstraints(pattern=r"^[a-z]{2,8}(-[a-z0-9]+)+-[0-9]$")  # such as eu-central-1
]
TargetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
SharedId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,900}$")]  # as links have them
TenantName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class Section(BaseModel):
    """A table of `gateway.toml`."""

    # Built with the first value, and a table within another one with that: a third of the time.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)
