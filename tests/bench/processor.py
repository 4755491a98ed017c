"""What the system says of a process: its CPU time, to the nanosecond, and its memory."""

import platform
import re
from pathlib import Path

PROC = Path("/proc")
RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)
AVAILABLE = re.compile(r"^MemAvailable:\s+(\d+) kB", re.MULTILINE)
MODEL = re.compile(r"^model name\s*: (.+)", re.MULTILINE)


def cpu_seconds(pid: int | None) -> float | None:
    """Of all its threads; None for no process, and where the system is not Linux."""
    tasks = (PROC / str(pid) / "task").glob("*/schedstat")
    spent = [int(task.read_text().split()[0]) for task in tasks]
    return sum(spent) / 1e9 if spent else None


def resident_mb(pid: int | None) -> float | None:
    return _mb(PROC / str(pid) / "status", RESIDENT)


def available_mb() -> float | None:
    """What new processes may take of this machine's memory."""
    return _mb(PROC / "meminfo", AVAILABLE)


def model() -> str:
    found = _found(PROC / "cpuinfo", MODEL)
    return found or platform.processor() or platform.machine()


def _mb(path: Path, pattern: re.Pattern[str]) -> float | None:
    found = _found(path, pattern)
    return None if found is None else int(found) / 1024


def _found(path: Path, pattern: re.Pattern[str]) -> str | None:
    if not path.exists():
        return None
    found = pattern.search(path.read_text())
    return found[1] if found else None
