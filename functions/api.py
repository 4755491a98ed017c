"""Door: the HTTP API, streamed, behind API Gateway and the Function URL."""

import os
from functools import partial

from antiphon import wiring

create_handler = partial(wiring.api, os.environ)  # again, where the process goes on as a copy
handler = create_handler()
