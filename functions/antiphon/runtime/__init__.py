"""A client of Lambda's Runtime API that streams responses chunk by chunk.

The managed Python runtime cannot stream; `functions/start-streaming` starts this one in its place.
It uses the standard library only and imports nothing of the gateway.
"""
