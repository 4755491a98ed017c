import contextlib
import io
import json
import pathlib
import zipfile
from dataclasses import dataclass

import pytest

from tests.infra.account import Account, run_cdk
from tests.infra.emulator import ARCH

STACK = "Antiphon-prod"


@dataclass(frozen=True)
class Deployed:
    """One stage in a simulated account, deployed with the locked CLI and cdk.json."""

    account: Account
    assembly: pathlib.Path
    outputs: dict[str, str]

    def client(self, service):
        return self.account.client(service)

    @property
    def function(self):
        found = self.client("lambda").list_functions()["Functions"]
        (api,) = (each for each in found if each["Handler"] == "api.handler")
        return api

    @property
    def asset(self):
        """Return the zip file of the functions' code."""
        template = json.loads((self.assembly / f"{STACK}.template.json").read_text())
        kinds = {each["Type"]: each for each in template["Resources"].values()}
        key = kinds["AWS::Lambda::Function"]["Properties"]["Code"]["S3Key"]
        storage = self.client("s3")
        (bucket,) = storage.list_buckets()["Buckets"]
        return storage.get_object(Bucket=bucket["Name"], Key=key)["Body"].read()


@pytest.fixture(scope="session")
def account(tmp_path_factory):
    with contextlib.closing(Account(tmp_path_factory.mktemp("account"))) as running:
        yield running


@pytest.fixture(scope="session")
def assembly(tmp_path_factory):
    """Run `cdk synth` without credentials, for this machine's architecture."""
    out = tmp_path_factory.mktemp("assembly") / "cdk.out"
    run_cdk("synth", "--quiet", "--output", str(out), "--context", f"antiphon:arch={ARCH}")
    return out


@pytest.fixture(scope="session")
def deployed(account, assembly, tmp_path_factory):
    outputs = tmp_path_factory.mktemp("outputs") / "outputs.json"
    account.deploy(assembly, "--outputs-file", str(outputs), STACK)
    return Deployed(account, assembly, json.loads(outputs.read_text())[STACK])


@pytest.fixture(scope="session")
def task_root(deployed, tmp_path_factory):
    """The uploaded asset, unpacked as Lambda does."""
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(io.BytesIO(deployed.asset)) as archive:
        for entry in archive.infolist():
            archive.extract(entry, folder)
            (folder / entry.filename).chmod(entry.external_attr >> 16 & 0o777)
    return folder
