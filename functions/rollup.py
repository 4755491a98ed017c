"""Door: the table's stream; derives usage and indexes from the links, and starts the polling."""

import os

from antiphon import rollup_wiring

handler = rollup_wiring.rollup(os.environ)
