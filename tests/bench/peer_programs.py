"""Other gateways, each installed in a folder of its own below .build, and how each is started."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.bundle import _find_uv
from infra.node import build_command, build_environment
from infra.project import PROJECT
from tests.bench.progress import Report
from tests.bench.request import KEY

LITELLM, PORTKEY, NGINX = "LiteLLM", "Portkey", "nginx"
ENVIRONMENTS = Path(__file__).parent / "environments"  # what is installed, with lock files
INSTALLED = PROJECT / ".build" / "peers"
SECONDS_TO_INSTALL = 900
MOST_OF_A_REASON = 300  # characters
ABOUT = {
    LITELLM: "LiteLLM's proxy with a master key, without a database and callbacks: its cheapest form",
    PORTKEY: "Portkey's gateway on Node.js, which learns from headers where the provider is",
    NGINX: "nginx in one process, without a buffer: it reads no key and nothing of the body",
}
NGINX_CONFIG = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr crit;
events {{ }}
http {{
    access_log off;
    upstream provider {{ server {provider}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


class NotInstalled(Exception):
    """Why a peer is left out."""


@dataclass(frozen=True)
class Program:
    """`command` gets the port to listen on, the provider's address and a folder for its files."""

    command: Callable[[int, str, Path], list[str]]
    env: Callable[[str], Mapping[str, str]] = lambda _: {}
    headers: Callable[[str], tuple[tuple[str, str], ...]] = lambda _: ()


@dataclass
class PeerPrograms:
    """Those that could be installed, and why the others could not."""

    programs: dict[str, Program] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def install(report: Report) -> PeerPrograms:
    """Install what is missing, from PyPI and npm; takes minutes and 600 MB the first time."""
    found = PeerPrograms()
    for name, make in INSTALLERS.items():
        report(f"installing {name}")
        try:
            found.programs[name] = make()
        except (NotInstalled, OSError, subprocess.SubprocessError) as exc:
            found.left_out[name] = str(exc)
    return found


def _litellm() -> Program:
    source, environment = ENVIRONMENTS / "litellm", INSTALLED / "litellm"
    options = ("--frozen", "--quiet", "--compile-bytecode", "--python", sys.executable)
    _run(
        [_find_uv(), "sync", *options, "--project", str(source)],
        {**os.environ, "UV_PROJECT_ENVIRONMENT": str(environment)},
    )
    start = (str(environment / "bin" / "litellm"), "--config", str(source / "config.yaml"))
    return Program(
        lambda port, *_: [*start, "--host", "127.0.0.1", "--port", str(port)],
        env=lambda provider: {
            "BENCH_PROVIDER": f"{provider}/v1",
            "LITELLM_MASTER_KEY": KEY,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it asks the network for prices
        },
    )


def _portkey() -> Program:
    folder = INSTALLED / "portkey"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ENVIRONMENTS / "portkey" / name, folder)
    options = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    _run(build_command("npm", "ci", "--prefix", str(folder), *options), build_environment())
    script = folder / "node_modules/@portkey-ai/gateway/build/start-server.js"
    return Program(
        lambda port, *_: build_command("node", str(script), f"--port={port}", "--headless"),
        headers=lambda provider: (
            ("x-portkey-provider", "openai"),
            ("x-portkey-custom-host", f"{provider}/v1"),
        ),
    )


def _nginx() -> Program:
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        raise NotInstalled("there is no nginx on this machine: apt-get install nginx-light")

    def command(port: int, provider: str, folder: Path) -> list[str]:
        config = folder / "nginx.conf"
        place = provider.removeprefix("http://")
        config.write_text(NGINX_CONFIG.format(port=port, provider=place, folder=folder))
        return [program, "-c", str(config), "-p", str(folder)]

    return Program(command)


def _run(command: list[str], env: Mapping[str, str]) -> None:
    done = subprocess.run(
        command,
        env=env,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=SECONDS_TO_INSTALL,
        check=False,
    )
    if done.returncode:
        raise NotInstalled(done.stderr.strip()[-MOST_OF_A_REASON:])


INSTALLERS: Mapping[str, Callable[[], Program]] = {
    LITELLM: _litellm,
    PORTKEY: _portkey,
    NGINX: _nginx,
}
