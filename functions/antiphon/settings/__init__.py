"""The configuration, the keys of the table and the metrics."""
