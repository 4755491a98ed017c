"""Door: the HTTP API, streamed, behind API Gateway and the Function URL."""

import os

from antiphon import wiring

handler = wiring.api(os.environ)
