"""Signatures of the gateway's own AWS role on requests to a provider, in place of a credential.

Imported only where a target needs it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError

from antiphon.errors import CredentialMissing
from antiphon.observability import logger
from antiphon.settings.targets import BedrockTarget
from antiphon.store.aws_api import AwsAccess
from antiphon.store.aws_signature import Signer

NO_CREDENTIAL = ""  # nothing to send, to store or to remove from an answer
# Proxies may change other headers. AWS signs all that begin with x-amz-, as the gateway's do.
SIGNED = {"content-type"}
DIGEST = "x-amz-content-sha256"  # not required; openai-python and other clients send it


@dataclass(frozen=True)
class RequestSigner:
    """Signs the requests to one target; in the place of a credential, it has none."""

    target: str
    signer: Signer
    access: AwsAccess

    def sign(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        """Return the headers to add to a request that is complete, with its final body.

        Raise CredentialMissing where AWS gives the function no credentials.
        """
        # Signatures have a value without the spaces that a caller may have put into it.
        signed = {name: " ".join(headers[name].split()) for name in SIGNED & headers.keys()}
        signed[DIGEST] = hashlib.sha256(body).hexdigest()
        try:
            return self.access.sign(self.signer, signed, body, method, url)
        except BotoCoreError as exc:
            reason = type(exc).__name__
            logger.error("request not signed", extra={"target": self.target, "reason": reason})
            raise CredentialMissing(
                f"AWS gives the gateway no credentials to sign requests to its target "
                f"'{self.target}' ({reason}). Your key is valid; contact the operators of the "
                "gateway."
            ) from exc

    def get(self, target: str) -> str:  # noqa: ARG002  as other sources of credentials have it
        return NO_CREDENTIAL

    def renew(self, target: str, rejected: str) -> str | None:  # noqa: ARG002
        """Return None: each request is signed with the newest credentials already."""
        return None


def build_signers(
    targets: Mapping[str, BedrockTarget], access: AwsAccess
) -> dict[str, RequestSigner]:
    """Build what signs the requests to each target."""
    return {
        name: RequestSigner(name, Signer(each.service, each.region, each.address), access)
        for name, each in targets.items()
    }
