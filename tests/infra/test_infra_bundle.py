import importlib.util
import io
import os
import pathlib
import re
import stat
import zipfile

import pytest
from click.testing import CliRunner

from infra import bundle
from infra.bundle import Bundle, BundleError, zipped
from tests.infra.emulator import ARCH

WITHOUT_SDK_BYTES, WITH_SDK_BYTES = 8_000_000, 16_000_000
OF_THE_SDK = ("boto", "s3transfer", "jmespath", "dateutil", "python_dateutil", "urllib3", "six")
OTHER = {"x86_64": ("arm64", "aarch64"), "arm64": ("x86_64", "x86_64")}
UNCHECKED = 1  # PEP 552: known by a hash that nobody compares


@pytest.fixture(scope="module")
def locked():
    return Bundle.locked(ARCH)


@pytest.fixture(scope="module")
def built(locked, tmp_path_factory):
    out = tmp_path_factory.mktemp("bundle") / "asset"
    locked.build(out)
    return out


def content(folder):
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def umask():
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_built_again_in_another_place_it_is_the_same_byte_for_byte(locked, built, tmp_path):
    again = tmp_path / "a longer way" / "asset"
    locked.build(again)
    assert content(again) == content(built)


def test_it_holds_the_functions_their_configuration_and_their_starter(built):
    assert (built / "api.py").read_bytes() == (bundle.SOURCES / "api.py").read_bytes()
    assert (built / "gateway.toml").read_bytes() == bundle.CONFIG.read_bytes()
    assert (built / "antiphon" / "runtime" / "__main__.py").exists()
    assert stat.S_IMODE((built / "start-streaming").stat().st_mode) == 0o755


def test_everything_is_readable_to_the_user_that_lambda_runs_it_as(built):
    assert {path.stat().st_mode & 0o444 for path in built.rglob("*")} == {0o444}


def test_it_holds_nothing_that_a_function_has_no_use_for(built):
    found = list(built.rglob("*"))
    assert not [p for p in found if p.suffix in {".pyi", ".pth"} or p.name in {"tests", "bin"}]
    assert not [p for p in found if p.name in {"RECORD", "py.typed", ".lock"}]
    services = {p.name for p in (built / "botocore" / "data").iterdir() if p.is_dir()}
    assert services == {"dynamodb", "secretsmanager", "sqs", "sts"}


def test_every_module_is_compiled_for_the_functions_python_and_trusted_as_it_is(built):
    sources = list(built.rglob("*.py"))
    compiled = list(built.rglob("*.pyc"))
    assert {importlib.util.cache_from_source(str(path)) for path in sources} == set(
        map(str, compiled)
    )
    heads = {path.read_bytes()[:8] for path in compiled}
    assert heads == {importlib.util.MAGIC_NUMBER + UNCHECKED.to_bytes(4, "little")}


def test_its_tracebacks_speak_of_the_place_where_lambda_puts_it(built):
    compiled = importlib.util.cache_from_source(str(built / "api.py"))
    assert b"/var/task/api.py" in pathlib.Path(compiled).read_bytes()


def test_it_is_small(built):
    packed = zipped(built)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        sdk = [e for e in archive.infolist() if e.filename.startswith(OF_THE_SDK)]
    assert len(packed) <= WITH_SDK_BYTES
    assert len(packed) - sum(entry.compress_size for entry in sdk) <= WITHOUT_SDK_BYTES


def test_by_hand_it_is_built_for_another_machine_and_tells_its_sizes(tmp_path):
    out = tmp_path / "asset"
    arch, machine = OTHER[ARCH]
    told = CliRunner().invoke(bundle.main, ["--arch", arch, "--out", str(out)])
    assert told.exit_code == 0, told.output
    assert re.search(rf": {arch}, \d+ files, [\d.]+ MB, [\d.]+ MB zipped$", told.output.strip())
    libraries = [path.name for path in out.rglob("*.so")]
    assert libraries
    assert all(f"-313-{machine}-linux-gnu" in name for name in libraries)


def test_by_hand_it_writes_over_nothing(tmp_path):
    told = CliRunner().invoke(bundle.main, ["--out", str(tmp_path)])
    assert told.exit_code != 0
    assert "exists already" in told.output


def test_its_fingerprint_tells_processors_and_locks_apart():
    one = Bundle("arm64", "a==1")
    assert one.fingerprint == Bundle("arm64", "a==1").fingerprint
    assert len({one.fingerprint, Bundle("x86_64", "a==1").fingerprint}) == 2
    assert one.fingerprint != Bundle("arm64", "a==2").fingerprint


def test_what_is_locked_has_hashes(locked):
    pins = [line for line in locked.requirements.splitlines() if "==" in line]
    assert all(re.match(r"[a-z0-9-]+==\S+ ", pin) for pin in pins)
    assert "pydantic==" in locked.requirements
    assert "moto" not in locked.requirements
    assert locked.requirements.count("--hash=sha256:") >= len(pins)


def test_it_cannot_be_built_from_what_the_lock_does_not_hold(tmp_path):
    with pytest.raises(BundleError, match="uv pip"):
        Bundle("arm64", "certifi==2025.1.31\n").build(tmp_path / "asset")
