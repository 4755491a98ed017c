"""What lets us in at each target: a key that is kept for us, or a token that we are given."""

from collections.abc import Mapping

from antiphon.observability import logger
from antiphon.settings.config import AzureTarget, Target
from antiphon.store.secrets import ProviderSecrets
from antiphon.upstream.entra import EntraTokens


class Credentials:
    """Safe for many threads: those who meet one and the same trouble ask once."""

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
        """The API key, or the bearer token; raise CredentialMissing."""
        app = self._apps.get(target)
        return self._secrets.get(target) if app is None else self._entra.get(target, app)

    def renew(self, target: str, rejected: str) -> str | None:
        """After a provider's 401: another credential, worth one replay; None where there is none.

        A target is asked for anew once in 30 seconds at most, however many calls it refuses.
        """
        app = self._apps.get(target)
        if app is None:
            renewed = self._secrets.renew(target, rejected)
        else:
            renewed = self._entra.renew(target, app, rejected)
        logger.warning("credential refused", extra={"target": target, "renewed": bool(renewed)})
        return renewed
