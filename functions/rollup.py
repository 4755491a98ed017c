"""Door: the table's stream; keeps what is derived from the links in step with them."""

import os

from antiphon import wiring

handler = wiring.rollup(os.environ)
