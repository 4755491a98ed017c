"""Door: SQS; writes late links, follows unfinished responses to their end."""

import os

from antiphon import wiring

handler = wiring.settle(os.environ)
