"""Runs of all checks: of one base URL, and of the stack."""

import os
import ssl
from pathlib import Path

import certifi
import httpx
from rich.console import Console

from infra.doctor.account import Account
from infra.doctor.base_url import is_loopback
from infra.doctor.check import Check
from infra.doctor.checklist import run_checks
from infra.doctor.report import Report
from infra.doctor.session import NoModelError, Plan, Session
from infra.doctor.stack_checklist import run_stack_checks
from infra.operator.stack import Stack

CONNECT_SECONDS = 10
URL_OUTPUTS = ("FunctionUrl", "RestUrl")


def check_stack(stack: Stack, config: Path) -> Report:
    """Check a stack in its account, with the progress on standard error."""
    status = Console(stderr=True).status(f"{stack.name}: …")

    def on_start(title: str) -> None:
        status.update(f"{stack.name}: {title} …")

    with status:
        results = list(run_stack_checks(Account(stack, config), on_start))
    urls = (stack.outputs.get(name) for name in URL_OUTPUTS)
    return Report("stack", stack.name, results, base_urls=tuple(url for url in urls if url))


def check_url(url: str, plan: Plan, checks: list[Check[Session]]) -> Report:
    """Check one base URL, with the progress on standard error."""
    status = Console(stderr=True).status(f"{url}: …")

    def on_start(title: str) -> None:
        status.update(f"{url}: {title} …")

    with _create_client(url, plan) as client, status:
        session = Session(client, plan)
        results = list(run_checks(session, checks, on_start))
    return Report("url", url, results, _used_model(session), session.tokens)


def _create_client(url: str, plan: Plan) -> httpx.Client:
    return httpx.Client(
        base_url=url,
        timeout=httpx.Timeout(plan.timeout, connect=min(CONNECT_SECONDS, plan.timeout)),
        headers={"user-agent": "antiphon-doctor", "accept-encoding": "identity"},
        trust_env=not is_loopback(url),  # a proxy does not lead back to this machine
        verify=ssl.create_default_context(
            cafile=os.environ.get("SSL_CERT_FILE") or certifi.where()
        ),
    )


def _used_model(session: Session) -> str | None:
    if "models" not in vars(session):  # the run ended before the models were requested
        return session.plan.model
    try:
        return session.model
    except NoModelError:
        return None
