"""`python -m infra.bundle --arch x86_64 --out DIR`: what Lambda runs, built with uv alone.

One asset for all functions: functions/, gateway.toml and the locked dependencies, compiled. Built
twice, anywhere, it is the same byte for byte.
"""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import click

type Arch = Literal["arm64", "x86_64"]

PROJECT = Path(__file__).parents[1]
SOURCES = PROJECT / "functions"
CONFIG = PROJECT / "gateway.toml"
BUILT = PROJECT / ".build" / "assets"
KEPT = 4  # built ones: for either processor, now and before
TASK_ROOT = "/var/task"  # where Lambda puts it: tracebacks speak of it
PYTHON = "3.13"  # of the functions, whose .pyc files suit no other
PLATFORMS: dict[Arch, str] = {
    "arm64": "aarch64-manylinux_2_28",
    "x86_64": "x86_64-manylinux_2_28",
}
USED = {  # of what stands in these folders
    "botocore/data": {"dynamodb", "secretsmanager", "sqs", "sts"},
    "aws_lambda_powertools/utilities": {"data_classes", "jmespath_utils", "metadata", "typing"},
}
UNUSED = (
    "bin",  # console scripts know the machine's own paths
    "*.dist-info/RECORD",  # and this knows their hashes
    ".lock",
    "*.pth",
    "boto3/data",  # of its resources; we use clients
    "boto3/examples",
    "**/tests",
    "**/*.pyi",
    "**/py.typed",
)


class BundleError(Exception):
    """The asset cannot be built here; the message says why."""


@dataclass(frozen=True)
class Bundle:
    """What an asset is made of."""

    arch: Arch
    requirements: str  # exact versions with their hashes

    @classmethod
    def locked(cls, arch: Arch) -> Self:
        what = ["--frozen", "--no-default-groups", "--no-emit-project"]
        return cls(arch, _uv("export", *what, "--no-header", "--no-annotate"))

    @property
    def fingerprint(self) -> str:
        """The same for the same content, and known before it is built."""
        known = hashlib.sha256(f"{PYTHON} {PLATFORMS[self.arch]} {self.requirements}".encode())
        for path in (Path(__file__), CONFIG, *_sources()):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            known.update(f"{path.relative_to(PROJECT)} {_mode(path):o} {content}\n".encode())
        return known.hexdigest()

    def built(self) -> Path:
        """The folder of the asset; it is built unless it was before."""
        place = BUILT / self.fingerprint
        if not place.exists():
            BUILT.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=BUILT) as scratch:
                fresh = Path(scratch, "asset")
                self.build(fresh)
                _place(fresh, place)
            _remove(sorted(BUILT.iterdir(), key=lambda built: built.stat().st_ctime)[:-KEPT])
        return place

    def build(self, out: Path) -> None:
        self._install(out)
        _remove(path for pattern in UNUSED for path in out.glob(pattern))
        for folder, used in USED.items():
            parts = (path for path in out.glob(f"{folder}/*") if path.is_dir())
            _remove(path for path in parts if path.name not in used)
        for source in _sources():
            _copy(source, out / source.relative_to(SOURCES))
        _copy(CONFIG, out / CONFIG.name)
        _compile(out)
        for path in out.rglob("*"):
            path.chmod(_mode(path))

    def _install(self, out: Path) -> None:
        wheels = ["--only-binary", ":all:", "--no-deps", "--require-hashes"]
        target = ["--python-platform", PLATFORMS[self.arch], "--python-version", PYTHON]
        place = ["--target", str(out), "--link-mode", "copy", "--no-compile-bytecode"]
        read = ["--python", sys.executable, "--requirements", "-"]
        _uv("pip", "install", *wheels, *target, *place, *read, stdin=self.requirements)


def _uv(*arguments: str, stdin: str = "") -> str:
    # Without colours: the CDK CLI asks for them, and they would stand among the requirements.
    command = [_uv_program(), "--quiet", "--color", "never", "--project", str(PROJECT), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)  # noqa: S603  our own command
    if done.returncode:
        raise BundleError(f"uv {arguments[0]}: {done.stderr}")
    return done.stdout


def _uv_program() -> str:
    """The uv that runs us, the one on the path, or the Makefile's own."""
    return os.environ.get("UV") or shutil.which("uv") or str(PROJECT / ".uv" / "bin" / "uv")


def _sources() -> Iterator[Path]:
    for path in sorted(SOURCES.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            yield path


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _place(fresh: Path, place: Path) -> None:
    """Whole or not at all: who builds the same meanwhile may be first, with the same."""
    try:
        fresh.replace(place)
    except OSError:
        if not place.exists():
            raise


def _remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    """Whatever the umask was: what runs is executable, and all is readable."""
    return 0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644


def _compile(out: Path) -> None:
    """For the target's Python, and trusted as they are: a zip forgets the dates of the sources."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" != PYTHON:
        raise BundleError(f"The functions run on Python {PYTHON}: build them with it.")
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    places = ["-s", str(out), "-p", TASK_ROOT, str(out)]
    ordered = {"PYTHONHASHSEED": "0"}  # sets too: bytes must not depend on the run
    subprocess.run([*command, *places], check=True, env=ordered)  # noqa: S603  our own command


def zipped(folder: Path) -> bytes:
    """As the CDK CLI does it: without dates, as small as it gets."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(str(path.relative_to(folder)))
                entry.external_attr = path.stat().st_mode << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


@click.command()
@click.option("--arch", type=click.Choice([*PLATFORMS]), default="arm64", show_default=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
def main(arch: Arch, out: Path) -> None:
    """Build the asset by hand, into a folder that is not there yet, and tell its sizes."""
    if out.exists():
        raise click.BadParameter(f"{out} exists already.", param_hint="--out")
    try:
        Bundle.locked(arch).build(out)
    except BundleError as exc:
        raise click.ClickException(str(exc)) from exc
    files = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    click.echo(
        f"{out}: {arch}, {len(files)} files, {sum(files) / 1e6:.1f} MB, "
        f"{len(zipped(out)) / 1e6:.1f} MB zipped"
    )


if __name__ == "__main__":
    main()
