"""The runtime processes of a gateway on this machine: their memory and their open files."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
RESET_PEAK = "5"  # proc(5), clear_refs
PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


@dataclass
class Resources:
    """Memory and open files of the largest of a gateway's runtime processes."""

    rss: int
    files: int

    @classmethod
    def of(cls, pid: int) -> "Resources":
        rss = files = 0
        for process in _runtimes(pid):
            rss = max(rss, _memory(process))
            files = max(files, len(list((process / "fd").iterdir())))
        return cls(rss, files)


def children(pid: int) -> list[int]:
    """The processes that one started, and those that these started."""
    direct = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [child for each in direct for child in (int(each), *children(int(each)))]


@dataclass
class Growth:
    """By how many bytes the memory of any process of the API function has grown at most."""

    peak: int = 0


@contextmanager
def measured_growth(pid: int) -> Iterator[Growth]:
    """Measures the processes of a gateway's API function, of which none may end meanwhile."""
    before = {process: _memory(process) for process in _runtimes(pid) if _is_api(process)}
    for process in before:
        (process / "clear_refs").write_text(RESET_PEAK)
    growth = Growth()
    yield growth
    # One that has started meanwhile began like the others.
    usual = max(before.values())
    now = filter(_is_api, _runtimes(pid))
    growth.peak = max(_peak(process) - before.get(process, usual) for process in now)


def peak_memory(pid: int) -> int:
    """The most bytes of memory that a process has had at once since its start."""
    return _peak(Path(f"/proc/{pid}"))


def _is_api(process: Path) -> bool:
    return b"\0_HANDLER=api.handler\0" in b"\0%b" % (process / "environ").read_bytes()


def _memory(process: Path) -> int:
    return int((process / "statm").read_text().split()[1]) * PAGE_BYTES


def _peak(process: Path) -> int:
    return int(PEAK.search((process / "status").read_text())[1]) * 1024


def _runtimes(pid: int) -> Iterator[Path]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            is_runtime = b"antiphon.runtime" in (process / "cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
        if parent == pid and is_runtime:
            yield process
