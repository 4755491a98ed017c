"""The local AWS: an embedded moto server, its resources, and the event sources of functions."""
