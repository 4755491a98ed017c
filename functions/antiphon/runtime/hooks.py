"""SnapStart: what a handler's module wants done around the snapshot.

@after_restore
def reconnect() -> None: ...
"""

from collections.abc import Callable

from antiphon.runtime.failure import Fault

type Hook = Callable[[], object]

_before: list[Hook] = []
_after: list[Hook] = []


def before_snapshot[H: Hook](function: H) -> H:
    """Run it before the snapshot is taken; the last one registered comes first."""
    _before.append(function)
    return function


def after_restore[H: Hook](function: H) -> H:
    """Run it in each environment made from the snapshot, in the order of registration."""
    _after.append(function)
    return function


def run_before_snapshot() -> None:
    _run(_before[::-1], "Runtime.BeforeSnapshotError")


def run_after_restore() -> None:
    _run(_after, "Runtime.AfterRestoreError")


def _run(hooks: list[Hook], fault: str) -> None:
    try:
        for hook in hooks:
            hook()
    except Exception as error:
        raise Fault(fault, f"{type(error).__name__}: {error}") from error
