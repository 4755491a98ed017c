"""A cloud account of moto's, and the CDK CLI that works on it."""

import subprocess
import sys

import boto3

from infra import node
from tests.infra.moto_cloudformation import ENVIRONMENT
from tests.infra.synthesis import PROJECT

CLI = PROJECT / "node_modules" / "aws-cdk" / "bin" / "cdk"
SETTINGS = {
    "CDK_DISABLE_VERSION_CHECK": "1",
    "CDK_DISABLE_CLI_TELEMETRY": "1",
    "PYTHONDONTWRITEBYTECODE": "",  # compiled once, as on a user's machine, the CDK starts sooner
}
SERVE = "from tests.infra.moto_cloudformation import serve; serve()"


def run_cdk(*arguments, cwd=PROJECT, **env):
    """Run the locked CLI on the locked Node.js; no key of the developer's is in reach."""
    mine = {name: value for name, value in node.environment().items() if name[:4] != "AWS_"}
    done = subprocess.run(
        node.command("node", str(CLI), *arguments, "--no-notices"),
        cwd=cwd,
        env={**mine, **SETTINGS, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    return told


class Cloud:
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
        self.cdk("bootstrap", "aws://123456789012/us-east-1", cwd=home)  # no cdk.json there

    def cdk(self, *arguments, cwd=PROJECT):
        return run_cdk(*arguments, cwd=cwd, CDK_HOME=str(self._home), **self.env)

    def deploy(self, assembly, *arguments):
        # Direct: moto's change sets know no order and no outputs.
        return self.cdk(
            *("deploy", "--app", str(assembly), "--method", "direct"),
            *("--require-approval", "never", *arguments),
        )

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=ENVIRONMENT["AWS_REGION"],
            aws_access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
        )

    def close(self):
        self._server.stdin.close()
        self._server.stdout.close()
        self._server.wait(20)
