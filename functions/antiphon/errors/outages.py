"""What is out of reach, ours or a provider's, and whether anything may have been started."""

from collections.abc import Mapping
from types import MappingProxyType

from antiphon.errors.refusal import NONE, GatewayError


class Unavailable(GatewayError):
    """Something of ours is out of reach and nothing was sent: trying again is right."""

    status = 503
    code = "gateway_unavailable"
    retry: bool | None = None
    headers: Mapping[str, str] = MappingProxyType({"retry-after": "1"})


class CredentialMissing(Unavailable):
    code = "target_credential_missing"


class LinkNotWritten(Unavailable):
    """The response was started but could not be owned: trying again would pay again."""

    code = "link_not_written"
    retry = False
    headers: Mapping[str, str] = NONE


class UpstreamFailed(GatewayError):
    """The outcome at the provider is not known: trying again may pay again."""

    status = 502
    code = "upstream_failed"


class UpstreamNotReached(UpstreamFailed):
    """Nothing was sent, so trying again is safe."""

    code = "upstream_not_reached"
    retry = None


class UpstreamRefusedUs(UpstreamFailed):
    """The provider does not take the gateway's own credential; the caller's key is in order."""

    code = "upstream_auth"


class UpstreamTimeout(UpstreamFailed):
    status = 504
    code = "upstream_timeout"
