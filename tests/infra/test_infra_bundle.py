import ast
import gzip
import importlib.metadata
import importlib.util
import io
import json
import os
import pathlib
import re
import stat
import zipfile

import pytest
from click.testing import CliRunner

from antiphon.settings.reference import PAGE_FILES, compressed_path, read, read_compressed
from infra import bundle
from infra.bundle import Bundle, BundleError, find_groups
from infra.sbom import write_sbom
from tests.infra.emulator import ARCH

WITHOUT_SDK_BYTES, WITH_SDK_BYTES = 8_000_000, 16_000_000
SDK = ("botocore", "jmespath", "dateutil", "python_dateutil", "urllib3", "six")
OTHER_ARCH = {"x86_64": ("arm64", "aarch64"), "arm64": ("x86_64", "x86_64")}
MAX_DISTRIBUTIONS = 19  # decision 20: more code that somebody else can change needs a reason
PRIVATE_NAME = re.compile(
    r"(^|/)(tests?|\.git|\.env|\.aws|conftest\.py|test_[^/]*\.py|[^/]*_test\.py|[^/]*\.(pth|key|p12))($|/)"
)
# Forms of AWS's, providers' and private keys; `cacert.pem` has certificates only.
SECRET = re.compile(
    rb"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----\s*M|\bsk-(proj|svcacct|admin)-[\w-]{20}"
)
UNCHECKED_HASH = 1  # PEP 552: flags of a .pyc file that is not compared with its source


@pytest.fixture(scope="module")
def locked():
    return Bundle.from_lock(ARCH)


@pytest.fixture(scope="module")
def built(locked):
    """The asset that the stack's tests deploy."""
    return locked.ensure_built()


def read_content(folder):
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
def test_the_command_gives_the_same_bytes_in_another_folder_and_prints_sizes(built, tmp_path):
    again = tmp_path / "a longer path" / "asset"
    done = CliRunner().invoke(bundle.main, ["--arch", ARCH, "--out", str(again)])
    assert done.exit_code == 0, done.output
    assert re.search(rf": {ARCH}, \d+ files, [\d.]+ MB, [\d.]+ MB zipped$", done.output.strip())
    assert read_content(again) == read_content(built)


def test_asset_contains_functions_configuration_and_start_script(built):
    assert (built / "api.py").read_bytes() == (bundle.FUNCTIONS / "api.py").read_bytes()
    assert (built / "gateway.toml").read_bytes() == bundle.CONFIG.read_bytes()
    assert (built / "antiphon" / "runtime" / "__main__.py").exists()
    assert stat.S_IMODE((built / "start-streaming").stat().st_mode) == 0o755


def test_asset_contains_the_reference_in_its_compressed_form_only(built):
    names = ["reference/openapi.json", *PAGE_FILES.values()]
    assert [name for name in names if (built / name).exists()] == []
    assert all(compressed_path(built / name).exists() for name in names)
    document = (bundle.FUNCTIONS / "reference" / "openapi.json").read_bytes()
    assert json.loads(read(built / "reference" / "openapi.json")) == json.loads(document)
    below = read(built / "reference" / "openapi.json", depth=2)
    assert below.count(b'"url": "../../v1"') == 1
    assert gzip.decompress(read_compressed(built / names[0], depth=2)) == below


def test_all_files_are_readable_for_every_user(built):
    assert {path.stat().st_mode & 0o444 for path in built.rglob("*")} == {0o444}


def test_asset_contains_no_unused_files(built):
    found = list(built.rglob("*"))
    assert not [p for p in found if p.suffix in {".pyi", ".pth"} or p.name in {"tests", "bin"}]
    assert not [p for p in found if p.name in {"RECORD", "py.typed", ".lock"}]
    assert not [p for p in found if p.name == "swagger_ui"]
    services = {p.name for p in (built / "botocore" / "data").iterdir() if p.is_dir()}
    assert services == {"dynamodb", "secretsmanager", "sqs", "sts"}


def test_asset_contains_the_locked_packages_and_not_those_for_operators(built):
    found = {path.name.removesuffix(".py") for path in built.iterdir()}
    assert found >= {"botocore", "httpx", "httptools", "idna", "certifi", "urllib3"}
    assert not found & {name.replace("-", "_") for name in bundle.UNUSED_DISTRIBUTIONS}
    assert not found & {"boto3", "s3transfer", "tenacity", "click", "rich", "aiohttp", "moto"}
    assert not [p for p in built.rglob("*") if p.suffix in {".pyx", ".pxd", ".c", ".h"}]


def test_asset_has_few_distributions_each_of_them_in_the_lock(built, locked):
    found = importlib.metadata.distributions(path=[str(built)])
    names = {each.name.lower().replace("_", "-") for each in found}
    assert names == set(locked.distributions)
    assert len(names) <= MAX_DISTRIBUTIONS


def test_asset_contains_the_licence_of_all_that_is_shipped(built):
    found = [{p.name for p in each.rglob("*")} for each in built.glob("*.dist-info")]
    assert all(any(name.startswith("LICENSE") for name in names) for names in found)


def test_asset_contains_no_secrets_and_no_tests(built):
    """Neither by name nor by content; a developer's local files do not get in."""
    files = {str(p.relative_to(built)): p for p in built.rglob("*") if p.is_file()}
    assert [name for name in files if PRIVATE_NAME.search(name)] == []
    contents = ((name, path.read_bytes()) for name, path in files.items())
    assert [name for name, content in contents if SECRET.search(content)] == []


@pytest.mark.parametrize(
    "text", ["AKIAIOSFODNN7EXAMPLE", "-----BEGIN EC PRIVATE KEY-----\nMHc", f"sk-proj-{'a1' * 20}"]
)
def test_such_secrets_would_be_found(text):
    assert SECRET.search(text.encode())


def test_bill_of_materials_lists_what_the_asset_contains(built, locked, tmp_path):
    write_sbom(built, tmp_path / "sbom.json")
    found = json.loads((tmp_path / "sbom.json").read_text())
    assert found["bomFormat"] == "CycloneDX"
    versions = {part["name"].replace("_", "-"): part["version"] for part in found["components"]}
    assert versions.keys() == set(locked.distributions)
    assert all(f"{name}=={version} " in locked.requirements for name, version in versions.items())
    assert [part["name"] for part in found["components"] if not part.get("licenses")] == []
    assert all(part["purl"].startswith("pkg:pypi/") for part in found["components"])
    assert found["metadata"]["component"]["name"] == "antiphon"
    edges = {each["ref"]: each.get("dependsOn", []) for each in found["dependencies"]}
    assert len(edges["root-component"]) == 10  # the direct ones, as in pyproject.toml


def test_what_verifies_tokens_ships_only_where_an_issuer_is_set(tmp_path):
    config = tmp_path / "gateway.toml"
    config.write_text('[targets.openai]\nprovider = "openai"\nmodels = ["*"]\n')
    assert find_groups(config) == ["asset"]
    with config.open("a") as more:
        more.write('[auth.jwt]\nissuer = "https://issuer.example"\naudience = "antiphon"\n')
    assert find_groups(config) == ["asset", "jwt"]
    config.write_text("[auth.jwt]\n")
    with pytest.raises(BundleError, match=r"auth\.jwt\.issuer"):
        find_groups(config)


def test_no_function_imports_boto3():
    imported = set()
    for path in bundle.FUNCTIONS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    assert "botocore" in imported
    assert not imported & {"boto3", "s3transfer", "tenacity"}


def test_every_module_is_compiled_without_check_of_its_source(built):
    sources = list(built.rglob("*.py"))
    compiled = list(built.rglob("*.pyc"))
    assert {importlib.util.cache_from_source(str(path)) for path in sources} == set(
        map(str, compiled)
    )
    heads = {path.read_bytes()[:8] for path in compiled}
    assert heads == {importlib.util.MAGIC_NUMBER + UNCHECKED_HASH.to_bytes(4, "little")}


def test_tracebacks_name_the_task_root(built):
    compiled = importlib.util.cache_from_source(str(built / "api.py"))
    assert b"/var/task/api.py" in pathlib.Path(compiled).read_bytes()


def test_asset_is_small(deployed):
    """The zip file that the CDK CLI uploads."""
    packed = deployed.asset
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        sdk = [e for e in archive.infolist() if e.filename.startswith(SDK)]
    assert len(packed) <= WITH_SDK_BYTES
    assert len(packed) - sum(entry.compress_size for entry in sdk) <= WITHOUT_SDK_BYTES


def test_packages_are_those_of_the_chosen_architecture(tmp_path):
    arch, machine = OTHER_ARCH[ARCH]
    Bundle.from_lock(arch).install(tmp_path)
    libraries = {str(path.relative_to(tmp_path)): path.name for path in tmp_path.rglob("*.so")}
    assert {name.partition("/")[0] for name in libraries} == {"httptools", "jiter", "pydantic_core"}
    assert all(f"-313-{machine}-linux-gnu" in name for name in libraries.values())


def test_command_does_not_overwrite_a_folder(tmp_path):
    done = CliRunner().invoke(bundle.main, ["--out", str(tmp_path)])
    assert done.exit_code != 0
    assert "exists already" in done.output


def test_fingerprint_depends_on_architecture_and_lock():
    one = Bundle("arm64", "a==1")
    assert one.fingerprint == Bundle("arm64", "a==1").fingerprint
    assert len({one.fingerprint, Bundle("x86_64", "a==1").fingerprint}) == 2
    assert one.fingerprint != Bundle("arm64", "a==2").fingerprint


def test_requirements_have_hashes(locked):
    pins = [line for line in locked.requirements.splitlines() if "==" in line]
    assert all(re.match(r"[a-z0-9-]+==\S+ ", pin) for pin in pins)
    assert "pydantic==" in locked.requirements
    assert "moto" not in locked.requirements
    assert locked.requirements.count("--hash=sha256:") >= len(pins)


def test_build_fails_without_hashes(tmp_path):
    with pytest.raises(BundleError, match="uv pip"):
        Bundle("arm64", "certifi==2025.1.31\n").build(tmp_path / "asset")
