import pytest
from openai import AzureOpenAI, OpenAI

from infra.local.simulator.server import build_application, serve_in_thread


@pytest.fixture(scope="session")
def simulator():
    with serve_in_thread(
        build_application(is_recording=True, deployments={"prod": "gpt-5"})
    ) as address:
        yield address


@pytest.fixture(scope="session")
def client(simulator):
    with OpenAI(base_url=f"{simulator}/v1", api_key="sk-test", max_retries=0) as client:
        yield client


@pytest.fixture(scope="session")
def azure(simulator):
    with AzureOpenAI(
        azure_endpoint=simulator, api_key="az-test", api_version="2025-04-01-preview", max_retries=0
    ) as client:
        yield client


@pytest.fixture(scope="session")
def other(simulator):
    """Another customer of the same provider."""
    with OpenAI(base_url=f"{simulator}/v1", api_key="sk-other", max_retries=0) as client:
        yield client
