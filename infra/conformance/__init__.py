"""Cases of the Open Responses specification, run against a gateway."""
