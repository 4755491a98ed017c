"""One Idempotency-Key, one response."""
