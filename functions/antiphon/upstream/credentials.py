"""The credential for each target: an API key from its secret, or a token of Microsoft Entra ID."""

from collections.abc import Mapping

from antiphon.observability import logger
from antiphon.settings.config import AzureTarget, Target
from antiphon.store.secrets import ProviderSecrets
from antiphon.upstream.entra import EntraTokens


class Credentials:
    """Safe for many threads: of those that need the same credential, one fetches it."""

    def __init__(
        self, targets: Mapping[str, Target], secrets: ProviderSecrets, entra: EntraTokens
    ) -> None:
        self._secrets = secrets
        self._entra = entra
        self._apps = {
            name: target.entra
            for name, target in targets.items()
            if isinstance(target, AzureTarget) and target.entra is not None
        }

    def get(self, target: str) -> str:
        """Return the API key or bearer token; raise CredentialMissing."""
        app = self._apps.get(target)
        return self._secrets.get(target) if app is None else self._entra.get(target, app)

    def renew(self, target: str, rejected: str) -> str | None:
        """Return another credential after a provider's 401; None where there is none.

        At most one fetch in 30 seconds for a target, however many of its calls are refused.
        """
        app = self._apps.get(target)
        if app is None:
            renewed = self._secrets.renew(target, rejected)
        else:
            renewed = self._entra.renew(target, app, rejected)
        logger.warning("credential refused", extra={"target": target, "renewed": bool(renewed)})
        return renewed
