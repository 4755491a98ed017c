"""The rollup function: follows changes of links in the table's stream."""
