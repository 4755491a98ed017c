"""`python -m infra.bundle --arch x86_64 --out DIR`: builds the asset that Lambda runs, with uv.

All functions share one asset: functions/, gateway.toml and the locked dependencies, compiled. The
build is reproducible: the same input gives the same bytes on every machine.
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

from antiphon.settings.config import ConfigError, load_config
from antiphon.settings.reference import compress_files
from infra.project import CONFIG, FUNCTIONS, IS_INSTALLED, NEEDS_PROJECT, PROJECT

type Arch = Literal["arm64", "x86_64"]

ASSETS = PROJECT / ".build" / "assets"
MAX_ASSETS = 4  # in ASSETS: the current and the previous one, for either architecture
TASK_ROOT = "/var/task"  # where Lambda unpacks the asset; tracebacks name it
PYTHON = "3.13"  # of the Lambda runtime; .pyc files are valid for one version only
PLATFORMS: dict[Arch, str] = {
    "arm64": "aarch64-manylinux_2_28",
    "x86_64": "x86_64-manylinux_2_28",
}
# Of these folders, only the named subfolders are included.
INCLUDED_SUBFOLDERS = {
    "botocore/data": {"dynamodb", "secretsmanager", "sqs", "sts"},
    "aws_lambda_powertools/utilities": {"data_classes", "jmespath_utils", "metadata", "typing"},
}
EXCLUDED = (
    "bin",  # console scripts contain absolute paths of the build machine
    "*.dist-info/RECORD",  # contains the hashes of those scripts
    ".lock",
    "*.pth",
    "**/tests",
    "annotated_types/test_cases.py",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui",  # for a page of its own
    "aws_lambda_powertools/metrics/provider/datadog",
    "botocore/data/*/*/examples-1.json*",  # for documentation; keys of examples look like secrets
    "**/*.pyi",
    "**/py.typed",
    "httptools/**/*.px[di]",  # Cython sources of the compiled modules
    "httptools/**/*.pyx",
    "genai_prices/__main__.py",  # commands, which need a terminal
    "genai_prices/_cli.py",
    "httpx*/_main.py",
    "httpx2/websockets",  # needs anyio
    "pydantic/experimental",  # imported by nothing else
    "pydantic/mypy.py",
    "pydantic/v1",  # imported for models of pydantic 1 only
)
# Distributions that others require and no function imports, so that they are not installed.
UNUSED_DISTRIBUTIONS = (
    "anyio",  # for event loops; the functions are synchronous
    "h11",  # for httpcore
    "httpcore",  # for httpx's own transport, which is imported where it is made
    # genai-prices imports httpx2 to update its list at run time, which the gateway does not do.
    # httpx2 imports the first two when a client is created, the last one in a browser.
    "httpcore2",
    "truststore",
    "httpx2-jsfetch",
)


class BundleError(Exception):
    """The asset cannot be built on this machine; the message states the reason."""


@dataclass(frozen=True)
class Bundle:
    """The input of one asset: the target architecture and the exact dependencies."""

    arch: Arch
    requirements: str  # exact versions with their hashes

    @classmethod
    def from_lock(cls, arch: Arch) -> Self:
        """Read the dependencies from uv.lock; raise BundleError if uv fails."""
        if IS_INSTALLED:
            raise BundleError(NEEDS_PROJECT.format("synth"))
        options = ["--frozen", *(f"--only-group={group}" for group in find_groups(CONFIG))]
        options += [f"--no-emit-package={name}" for name in UNUSED_DISTRIBUTIONS]
        return cls(arch, _run_uv("export", *options, "--no-header", "--no-annotate"))

    @property
    def distributions(self) -> list[str]:
        """The names of the distributions that the asset contains."""
        lines = self.requirements.splitlines()
        return [line.partition("==")[0] for line in lines if line[:1].isalnum()]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that determines the asset; needs no build."""
        digest = hashlib.sha256(f"{PYTHON} {PLATFORMS[self.arch]} {self.requirements}".encode())
        for path in (Path(__file__), CONFIG, *_list_sources()):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(PROJECT)} {_file_mode(path):o} {content}\n".encode())
        return digest.hexdigest()

    def ensure_built(self) -> Path:
        """Return the folder of the asset; build it unless it exists already."""
        target = ASSETS / self.fingerprint
        if not target.exists():
            ASSETS.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=ASSETS) as scratch:
                built = Path(scratch, "asset")
                self.build(built)
                _move_into_place(built, target)
            by_age = sorted(ASSETS.iterdir(), key=lambda path: path.stat().st_ctime)
            _remove(by_age[:-MAX_ASSETS])
        return target

    def build(self, out: Path) -> None:
        """Build the asset into a new folder; raise BundleError if a dependency has no wheel."""
        self.install(out)
        _remove(path for pattern in EXCLUDED for path in out.glob(pattern))
        for folder, included in INCLUDED_SUBFOLDERS.items():
            subfolders = (path for path in out.glob(f"{folder}/*") if path.is_dir())
            _remove(path for path in subfolders if path.name not in included)
        for source in _list_sources():
            _copy(source, out / source.relative_to(FUNCTIONS))
        _copy(CONFIG, out / CONFIG.name)
        compress_files(out)
        _compile(out)
        for path in out.rglob("*"):
            path.chmod(_file_mode(path))

    def install(self, out: Path) -> None:
        """Install the locked packages for the target architecture; raise BundleError as `build`."""
        wheels = ["--only-binary", ":all:", "--no-deps", "--require-hashes"]
        platform = ["--python-platform", PLATFORMS[self.arch], "--python-version", PYTHON]
        target = ["--target", str(out), "--link-mode", "copy", "--no-compile-bytecode"]
        source = ["--python", sys.executable, "--requirements", "-"]
        options = [*wheels, *platform, *target, *source]
        _run_uv("pip", "install", *options, stdin=self.requirements)


def find_groups(config: Path) -> list[str]:
    """Return the dependency groups that an asset with this configuration needs."""
    try:
        auth = load_config(config).auth
    except ConfigError as exc:
        raise BundleError(str(exc)) from exc
    return ["asset"] if auth.jwt is None else ["asset", "jwt"]


def _run_uv(*arguments: str, stdin: str = "") -> str:
    # Without colours: the CDK CLI requests them, and escape codes would be in the requirements.
    command = [_find_uv(), "--quiet", "--color", "never", "--project", str(PROJECT), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)  # noqa: S603  our own command
    if done.returncode:
        raise BundleError(f"uv {arguments[0]}: {done.stderr}")
    return done.stdout


def _find_uv() -> str:
    """Return the uv that runs this process, the one on the PATH, or the Makefile's."""
    return os.environ.get("UV") or shutil.which("uv") or str(PROJECT / ".uv" / "bin" / "uv")


def _list_sources() -> Iterator[Path]:
    for path in sorted(FUNCTIONS.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            yield path


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _move_into_place(built: Path, target: Path) -> None:
    """Move the folder atomically; another process may have built the same asset first."""
    try:
        built.replace(target)
    except OSError:
        if not target.exists():
            raise


def _remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _file_mode(path: Path) -> int:
    """Return 0755 for folders and executables, else 0644, independent of the umask."""
    return 0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644


def _compile(out: Path) -> None:
    """Write .pyc files that Python does not check against their sources (PEP 552).

    The asset's zip file has no modification times, so a timestamp-based check would fail.
    """
    if f"{sys.version_info.major}.{sys.version_info.minor}" != PYTHON:
        raise BundleError(f"The functions run on Python {PYTHON}: build them with that version.")
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    paths = ["-s", str(out), "-p", TASK_ROOT, str(out)]
    env = {"PYTHONHASHSEED": "0"}  # the order of sets must be the same in each build
    subprocess.run([*command, *paths], check=True, env=env)  # noqa: S603  our own command


def zip_folder(folder: Path) -> bytes:
    """Compress the folder as the CDK CLI does: without modification times.

    Not at its level, 9, which takes three times as long for less than a hundredth of the size.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(str(path.relative_to(folder)))
                entry.external_attr = path.stat().st_mode << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@click.command()
@click.option("--arch", type=click.Choice([*PLATFORMS]), default="arm64", show_default=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
def main(arch: Arch, out: Path) -> None:
    """Build the asset into a new folder and print its size."""
    if out.exists():
        raise click.BadParameter(f"{out} exists already.", param_hint="--out")
    try:
        Bundle.from_lock(arch).build(out)
    except BundleError as exc:
        raise click.ClickException(str(exc)) from exc
    sizes = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    click.echo(
        f"{out}: {arch}, {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB, "
        f"{len(zip_folder(out)) / 1e6:.1f} MB zipped"
    )


if __name__ == "__main__":
    main()
