"""`python -m infra.sbom --out FILE`: the asset's bill of materials, as CycloneDX JSON.

It is read from the built asset itself, so that it has what ships and nothing else. Packages have
their version, licence, package URL and dependencies; uv.lock has the hashes of their files.
"""

import os
import subprocess
import sys
from pathlib import Path

import click

from infra.bundle import PLATFORMS, Arch, Bundle, BundleError
from infra.project import PROJECT


def write_sbom(asset: Path, out: Path) -> None:
    """Describe the packages in a built asset; the same asset gives the same bytes."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "-S"]
    options = ["--pyproject", str(PROJECT / "pyproject.toml"), "--output-reproducible"]
    # The interpreter that it inspects must see no packages but the asset's.
    interpreter = getattr(sys, "_base_executable", sys.executable)
    env = {**os.environ, "PYTHONPATH": str(asset)}
    subprocess.run(  # noqa: S603  our own command
        [*command, *options, "--validate", "--output-file", str(out), interpreter],
        check=True,
        env=env,
    )


@click.command()
@click.option("--arch", type=click.Choice([*PLATFORMS]), default="arm64", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default="sbom.json")
def main(arch: Arch, out: Path) -> None:
    """Write the bill of materials of the functions' asset."""
    bundle = Bundle.from_lock(arch)
    try:
        write_sbom(bundle.ensure_built(), out)
    except (BundleError, subprocess.CalledProcessError) as exc:
        raise click.ClickException(str(exc)) from exc
    click.echo(f"{out}: {len(bundle.distributions)} packages")


if __name__ == "__main__":
    main()
