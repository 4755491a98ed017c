"""OpenAI's error envelope: ours always has all four members, a provider's may have others."""

from infra.reference.answers.open import Open


class ErrorBody(Open):
    message: str
    """What went wrong, for people."""
    type: str | None = None
    """The kind of error, such as `invalid_request_error` or `server_error`."""
    param: str | None = None
    """The parameter to blame, such as `input[0].role`; null where no single one is."""
    code: str | None = None
    """What went wrong, for programs."""


class Error(Open):
    """The envelope of every error, the gateway's own and the provider's."""

    error: ErrorBody
