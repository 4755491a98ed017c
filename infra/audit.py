"""`python -m infra.audit`: known vulnerabilities of the packages in the asset, by pip-audit.

It needs a package index that serves PyPI's vulnerability data, or `--service osv`. It exits with 0
where nothing is known, 1 where something is, and 2 where packages could not be audited.
"""

import json
import subprocess
import sys
from typing import Any

import click

from infra.bundle import Bundle, BundleError

VULNERABLE, NOT_AUDITED = 1, 2


def summarize(report: dict[str, Any]) -> tuple[list[str], int]:
    """Return the lines for the operator and the exit code."""
    packages = report["dependencies"]
    skipped = [each["name"] for each in packages if "skip_reason" in each]
    lines = [
        f"{each['name']} {each['version']}: {found['id']}, "
        f"fixed in {', '.join(found['fix_versions']) or 'no version'}"
        for each in packages
        for found in each.get("vulns", [])
    ]
    code = VULNERABLE if lines else 0
    lines.append(f"{len(packages) - len(skipped)} packages audited, {len(lines)} vulnerabilities")
    if skipped:
        lines.append(f"NOT AUDITED, the package index has no data: {', '.join(skipped)}")
    return lines, code or (NOT_AUDITED if skipped else 0)


@click.command()
@click.option("--service", type=click.Choice(["pypi", "osv"]), default="pypi", show_default=True)
def main(service: str) -> None:
    """Look up the packages of the asset in a database of vulnerabilities."""
    try:
        requirements = Bundle.from_lock("arm64").requirements
    except BundleError as exc:
        raise click.ClickException(str(exc)) from exc
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "-f", "json"]
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "pip_audit", *options, "-s", service, "-r", "/dev/stdin"],
        input=requirements,
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout:
        reason = done.stderr.strip().rpartition("\n")[2]
        click.echo(f"NOT AUDITED, the service {service} cannot be reached: {reason}")
        sys.exit(NOT_AUDITED)
    lines, code = summarize(json.loads(done.stdout))
    click.echo("\n".join(lines))
    sys.exit(code)


if __name__ == "__main__":
    main()
