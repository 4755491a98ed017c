"""The guards of what is stored: counted once, and refused beyond a ceiling."""

from tests.mutants.guard import guard

STORAGE = [
    guard(
        "a create under a ceiling takes its place first",
        "limits/storage.py",
        "if not scopes:",
        "if True:",
        "limits/test_limits_storage.py",
    ),
    guard(
        "what certainly made nothing gives its place back",
        "limits/storage.py",
        'if isinstance(exc, GatewayError) and exc.processed == "no":',
        "if exc is not None:",
        "limits/test_limits_storage.py",
    ),
    guard(
        "a place is not given back twice",
        "store/reservations.py",
        'only_if=" AND ".join(conditions) or None,\n        values=held,',
        "only_if=None,",
        "rollup/test_rollup_storage.py",
    ),
]
