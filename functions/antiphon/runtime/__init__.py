"""Lambda's Runtime API spoken from Python, so that an answer can leave chunk by chunk.

The managed Python runtime cannot stream; `functions/start-streaming` starts this one in its place.
Standard library only, and it knows nothing of the gateway: a handler's module may use `hooks`.
"""
