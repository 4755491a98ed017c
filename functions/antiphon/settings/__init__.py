"""The configuration, the shape of the table and the metrics."""
