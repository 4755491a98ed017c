"""Every refusal the gateway makes itself, in the envelope OpenAI's clients already understand.

GatewayError                    500
├── InvalidRequest              400
│   ├── PreviousResponseMissing 400
│   ├── TargetGone              400
│   ├── PriceUnknown            400
│   ├── BodyTooLarge            413
│   ├── UnsupportedEncoding     415
│   ├── IdempotencyKeyReused    422
│   ├── IdempotencyKeyInFlight  409
│   └── OutcomeNotStored        409
├── Unauthenticated             401
├── NotFound                    404
│   └── ModelNotFound           404
├── UpgradeRequired             426
├── LimitReached                429
│   ├── TokenLimitReached       429
│   │   └── RequestTooLong      429
│   ├── TooManyInFlight         429
│   └── BudgetSpent             429
├── Unavailable                 503
│   ├── LinkNotWritten          503
│   └── CredentialMissing       503
└── UpstreamFailed              502
    ├── UpstreamRefusedUs       502
    ├── UpstreamNotReached      502
    └── UpstreamTimeout         504

A provider's own error is no exception: it is a `Reply`, passed on.
Statuses, types and codes: https://platform.openai.com/docs/guides/error-codes
"""

from antiphon.errors.limits import (
    BudgetSpent,
    LimitReached,
    PriceUnknown,
    RequestTooLong,
    TokenLimitReached,
    TooManyInFlight,
)
from antiphon.errors.outages import (
    CredentialMissing,
    LinkNotWritten,
    Unavailable,
    UpstreamFailed,
    UpstreamNotReached,
    UpstreamRefusedUs,
    UpstreamTimeout,
)
from antiphon.errors.refusal import GatewayError
from antiphon.errors.requests import (
    BodyTooLarge,
    IdempotencyKeyInFlight,
    IdempotencyKeyReused,
    InvalidRequest,
    ModelNotFound,
    NotFound,
    OutcomeNotStored,
    PreviousResponseMissing,
    TargetGone,
    Unauthenticated,
    UnsupportedEncoding,
    UpgradeRequired,
)

__all__ = [
    "BodyTooLarge",
    "BudgetSpent",
    "CredentialMissing",
    "GatewayError",
    "IdempotencyKeyInFlight",
    "IdempotencyKeyReused",
    "InvalidRequest",
    "LimitReached",
    "LinkNotWritten",
    "ModelNotFound",
    "NotFound",
    "OutcomeNotStored",
    "PreviousResponseMissing",
    "PriceUnknown",
    "RequestTooLong",
    "TargetGone",
    "TokenLimitReached",
    "TooManyInFlight",
    "Unauthenticated",
    "Unavailable",
    "UnsupportedEncoding",
    "UpgradeRequired",
    "UpstreamFailed",
    "UpstreamNotReached",
    "UpstreamRefusedUs",
    "UpstreamTimeout",
]
