"""Bytes in, the few things we act on out; everything else in a request stays as it came."""

from antiphon.schema.create import CreateResponse

__all__ = ["CreateResponse"]
