"""An AWS account simulated by moto, and the CDK CLI that deploys to it."""

import subprocess
import sys

import boto3
from botocore.config import Config

from infra import node
from tests.infra.synthesis import PROJECT

CLI = PROJECT / "node_modules" / "aws-cdk" / "bin" / "cdk"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
SETTINGS = {
    "CDK_DISABLE_VERSION_CHECK": "1",
    "CDK_DISABLE_CLI_TELEMETRY": "1",
    "PYTHONDONTWRITEBYTECODE": "",  # with .pyc files, the CDK starts faster
}
# A stack is created within one call, which a busy machine takes long for; a second one would fail.
PATIENT = Config(read_timeout=280, retries={"max_attempts": 0})
SERVE = "from tests.infra.moto_server import serve; serve()"


def run_cdk(*arguments, cwd=PROJECT, **env):
    """Run the locked CLI with the locked Node.js, without the developer's AWS credentials."""
    mine = {name: value for name, value in node.build_environment().items() if name[:4] != "AWS_"}
    done = subprocess.run(
        node.build_command("node", str(CLI), *arguments, "--no-notices"),
        cwd=cwd,
        env={**mine, **SETTINGS, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    return output


class Account:
    def __init__(self, home):
        self._home = home
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVE],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.endpoint = self._server.stdout.readline().strip()
        self.env = {**ENVIRONMENT, "AWS_ENDPOINT_URL": self.endpoint}
        self.cdk("bootstrap", "aws://123456789012/us-east-1", cwd=home)  # a folder without cdk.json

    def cdk(self, *arguments, cwd=PROJECT):
        return run_cdk(*arguments, cwd=cwd, CDK_HOME=str(self._home), **self.env)

    def deploy(self, assembly, *arguments):
        # Not with change sets: moto's ignore dependencies and outputs.
        return self.cdk(
            *("deploy", "--app", str(assembly), "--method", "direct"),
            *("--require-approval", "never", *arguments),
        )

    def client(self, service):
        return boto3.client(
            service,
            config=PATIENT,
            endpoint_url=self.endpoint,
            region_name=ENVIRONMENT["AWS_REGION"],
            aws_access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
        )

    def close(self):
        self._server.stdin.close()
        self._server.stdout.close()
        self._server.wait(20)
