"""Amazon Bedrock as the simulator plays it: OpenAI's API, by requests that AWS's keys sign.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
"""

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256
from uuid import uuid4

from aiohttp import web

from infra.local.aws.resources import DUMMY_CREDENTIALS
from infra.local.simulator.api_request import OpenAI
from infra.local.simulator.errors import ApiError
from infra.local.simulator.items import Json

ALGORITHM = "AWS4-HMAC-SHA256"
AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<key>[^/]+)/(?P<day>\d{{8}})/(?P<region>[^/]+)/"
    r"(?P<service>[^/]+)/aws4_request, SignedHeaders=(?P<headers>[^,]+), "
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
SERVICES = {"bedrock", "bedrock-mantle"}
MISSING = "Missing Authentication Token"
UNKNOWN_KEY = "The security token included in the request is invalid."
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details."
)
KEY_ID, KEY = DUMMY_CREDENTIALS["AWS_ACCESS_KEY_ID"], DUMMY_CREDENTIALS["AWS_SECRET_ACCESS_KEY"]


class SignatureRefused(ApiError):
    """AWS's own error, which comes before OpenAI's API."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(403, message, headers={"x-amzn-errortype": name})


class Bedrock(OpenAI):
    """Accepts what the functions of a gateway on this machine sign."""

    name = "bedrock"

    async def read_credential(self, request: web.Request) -> str:
        """Returns the access key that signed the request; raises SignatureRefused."""
        given = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if given is None:
            raise SignatureRefused("MissingAuthenticationTokenException", MISSING)
        if given["key"] != KEY_ID:
            raise SignatureRefused("UnrecognizedClientException", UNKNOWN_KEY)
        url = f"{request.scheme}://{request.host}{request.raw_path}"
        body = await request.read()
        expected = signature_of(request.method, url, request.headers, body, KEY)
        if given["service"] not in SERVICES or not hmac.compare_digest(
            expected, given["signature"]
        ):
            raise SignatureRefused("InvalidSignatureException", MISMATCH)
        return given["key"]

    def error_body(self, error: ApiError) -> Json:
        if isinstance(error, SignatureRefused):
            return {"message": error.message}
        return super().error_body(error)

    def response_headers(self, milliseconds: int) -> dict[str, str]:
        del milliseconds
        return {"x-amzn-requestid": str(uuid4())}


def signature_of(
    method: str, url: str, headers: Mapping[str, str], body: bytes, secret: str
) -> str:
    """Returns the signature that botocore makes of a request, with the headers that it names.

    None but a body of the declared digest has it.
    """
    # Imported for the first request: it takes 0.2 s of the simulator's start.
    from botocore.auth import SigV4Auth  # noqa: PLC0415  see above
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415  see above
    from botocore.credentials import Credentials  # noqa: PLC0415  see above

    found = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if found is None or headers.get("x-amz-content-sha256") != sha256(body).hexdigest():
        return ""
    signed = {name: headers.get(name, "") for name in found["headers"].split(";")}
    request = AWSRequest(method, url, signed, body)
    request.context["timestamp"] = headers.get("x-amz-date", "")
    auth = SigV4Auth(Credentials(found["key"], secret), found["service"], found["region"])
    canonical = auth.canonical_request(request)
    signature: str = auth.signature(auth.string_to_sign(request, canonical), request)
    return signature
