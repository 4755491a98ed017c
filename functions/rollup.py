"""Door: the table's stream; derives usage and indexes from the links, and starts the polling."""

import os

from antiphon import wiring

handler = wiring.rollup(os.environ)
