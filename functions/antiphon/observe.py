"""One line for each request. Ids, sizes and timings are logged; content and keys never are."""

import os

from aws_lambda_powertools import Logger

logger = Logger(service=os.environ.get("POWERTOOLS_SERVICE_NAME", "antiphon"), use_rfc3339=True)
