import contextlib
import io
import json
import pathlib
import zipfile
from dataclasses import dataclass

import pytest

from tests.infra.account import Account, run_cdk
from tests.infra.emulator import ARCH
from tests.support.commands import EMPTY_ENVIRONMENT, run_antiphon

STACK = "Antiphon-prod"


@dataclass(frozen=True)
class Deployed:
    """One stage in a simulated account, deployed with the locked CLI and cdk.json."""

    account: Account
    stack: str
    assembly: pathlib.Path
    outputs: dict[str, str]

    def client(self, service):
        return self.account.client(service)

    @property
    def function(self):
        found = self.client("lambda").list_functions()["Functions"]
        (api,) = (f for f in found if f["FunctionName"].startswith(f"{self.stack}-Api"))
        return api

    @property
    def secrets(self):
        """Return the ARN of each target's secret."""
        found = [v for name, v in self.outputs.items() if name.startswith("TargetSecret")]
        return {target: arn for each in found for target, arn in json.loads(each).items()}

    @property
    def asset(self):
        """Return the zip file of the functions' code."""
        template = json.loads((self.assembly / f"{self.stack}.template.json").read_text())
        kinds = {each["Type"]: each for each in template["Resources"].values()}
        key = kinds["AWS::Lambda::Function"]["Properties"]["Code"]["S3Key"]
        storage = self.client("s3")
        buckets = storage.list_buckets()["Buckets"]  # other tests make buckets of their own
        bucket = next(each for each in buckets if each["Name"].startswith("cdk-"))
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
def deployed(account, assembly):
    return deploy(account, assembly, STACK)


@pytest.fixture(scope="session")
def diagnosis(deployed):
    """What the doctor finds at once after the first deployment."""
    env = {**EMPTY_ENVIRONMENT, **deployed.account.env}
    return run_antiphon("doctor", "--stage", "prod", "--json", env=env)


def deploy(account, assembly, stack):
    """Deploy a stack of an assembly and read its outputs."""
    outputs = assembly / f"{stack}.outputs.json"
    account.deploy(assembly, "--outputs-file", str(outputs), stack)
    return Deployed(account, stack, assembly, json.loads(outputs.read_text())[stack])


@pytest.fixture(scope="session")
def task_root(deployed, tmp_path_factory):
    """The uploaded asset, unpacked as Lambda does."""
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(io.BytesIO(deployed.asset)) as archive:
        for entry in archive.infolist():
            archive.extract(entry, folder)
            (folder / entry.filename).chmod(entry.external_attr >> 16 & 0o777)
    return folder
