"""The clients that users have in front of the gateway, and what each of them can do."""

import json
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from infra.bundle import _find_uv
from infra.node import build_command

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
CODEX = Path(__file__).parent / "codex"  # its package.json: 420 MB are installed
CODEX_BINARY = CODEX / (
    "node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex"
)
CAPABILITIES = {
    "create": "create",
    "stream": "stream",
    "tools": "function calls",
    "structured": "structured output",
    "previous": "`previous_response_id`",
    "resent": "resent history",
    "conversation": "conversations",
    "retrieve": "retrieve",
    "delete": "delete",
    "cancel": "cancel",
    "errors": "its own exceptions, with the gateway's message",
    "retries": "retries that pay once",
}
NO_STORED = dict.fromkeys(
    ("retrieve", "delete", "cancel"), "the library has no such call: use OpenAI's own client for it"
)
NO_CONVERSATION = {"conversation": "the library has no such setting"}
OPENAI_ERRORS = ("BadRequestError", "AuthenticationError", "NotFoundError", "RateLimitError")


@dataclass(frozen=True)
class Client:
    """A library, the program that uses it, and what it lacks.

    `errors` are the classes that it raises at 400, 401, 404 and 429; `failed` the one at 500.
    `missing` has the reason for each capability that the library does not have, `differs` the
    result of a case where it is not the one that other clients have.
    """

    title: str
    package: str
    program: str
    errors: tuple[str, str, str, str] = OPENAI_ERRORS
    failed: str = "InternalServerError"
    missing: Mapping[str, str] = field(default_factory=dict)
    differs: Mapping[str, object] = field(default_factory=dict)
    pinned: str = ""  # a version other than the locked one
    heavy: bool = False  # installed and run by `make clients` alone
    arguments: tuple[str, ...] = ()  # of the program
    page: str = ""  # in docs/clients, whose code its program runs as well

    @property
    def version(self) -> str:
        if self.pinned:
            return self.pinned
        if self.program == "play_codex.py":
            return _read_package_json(CODEX, self.package)
        if self.program.endswith(".mjs"):
            return _read_package_json(ROOT, self.package)
        own = self._lock()
        return _read_lock(own if own.exists() else ROOT / "uv.lock", self.package)

    def _lock(self) -> Path:
        return PROGRAMS / f"{self.program}.lock"

    @property
    def is_in_project(self) -> bool:
        """Whether its library is in the project's own environment, for Python."""
        return self.run_command()[0] == sys.executable and not self.heavy

    def install_command(self) -> list[str] | None:
        """What installs it, unless the project's own lock files do."""
        if self.program == "play_codex.py":
            return build_command("npm", "ci", "--prefix", str(CODEX), "--no-audit", "--no-fund")
        if self.pinned:
            return [*self._isolated(), "python", "-c", "import openai"]
        if not self._lock().exists():
            return None
        options = ("--frozen", "--quiet", "--python", sys.executable, "--script")
        return [_find_uv(), "sync", *options, str(PROGRAMS / self.program)]

    def run_command(self) -> list[str]:
        """What runs its program, without any access to a registry."""
        program = str(PROGRAMS / self.program)
        if self.program.endswith(".mjs"):
            return build_command("node", program)
        if self.pinned:
            return [*self._isolated("--offline"), "python", program]
        if not self._lock().exists():
            return [sys.executable, program, *self.arguments]
        options = ("--frozen", "--quiet", "--offline", "--python", sys.executable, "--script")
        return [_find_uv(), "run", *options, program]

    def _isolated(self, *options: str) -> list[str]:
        command = [_find_uv(), "run", "--quiet", *options, "--no-project", "--isolated"]
        return [*command, "--python", sys.executable, "--with", f"{self.package}=={self.pinned}"]


def _read_package_json(folder: Path, package: str) -> str:
    return json.loads((folder / "package.json").read_text())["devDependencies"][package]


def _read_lock(path: Path, package: str) -> str:
    return _locked_versions(path)[package]


@cache
def _locked_versions(path: Path) -> Mapping[str, str]:
    packages = tomllib.loads(path.read_text())["package"]
    return {each["name"]: each.get("version", "") for each in packages}


CLIENTS = {
    "openai-python": Client("openai-python", "openai", "play_openai.py"),
    "openai-python-azure": Client(
        "openai-python, `AzureOpenAI`", "openai", "play_openai.py", arguments=("azure",)
    ),
    "openai-python-1.101": Client(
        "openai-python, the first with conversations",
        "openai",
        "play_openai.py",
        pinned="1.101.0",
        heavy=True,
    ),
    "openai-python-1.66": Client(
        "openai-python, the first with responses",
        "openai",
        "play_openai.py",
        missing={
            "conversation": "since openai-python 1.101.0",
            "cancel": "since openai-python 1.84.0",
        },
        pinned="1.66.0",
        heavy=True,
    ),
    "openai-node": Client("openai-node", "openai", "play_openai.mjs"),
    "openai-agents": Client(
        "OpenAI Agents SDK, Python",
        "openai-agents",
        "play_openai_agents.py",
        missing=NO_STORED,
    ),
    "openai-agents-js": Client(
        "OpenAI Agents SDK, JavaScript",
        "@openai/agents",
        "play_openai_agents.mjs",
        missing=NO_STORED,
    ),
    "langchain": Client(
        "LangChain, `ChatOpenAI(use_responses_api=True)`",
        "langchain-openai",
        "play_langchain.py",
        errors=(
            "OpenAIInvalidRequestError",
            "OpenAIAuthenticationError",
            "OpenAIModelNotFoundError",
            "OpenAIRateLimitError",
        ),
        failed="OpenAIAPIError",
        missing=NO_STORED,
        page="langchain.md",
    ),
    "llamaindex": Client(
        "LlamaIndex, `OpenAIResponses`",
        "llama-index-llms-openai",
        "play_llama_index.py",
        missing={**NO_STORED, **NO_CONVERSATION},
        heavy=True,
        page="llamaindex.md",
    ),
    "pydantic-ai": Client(
        "Pydantic AI, `OpenAIResponsesModel`",
        "pydantic-ai-slim",
        "play_pydantic_ai.py",
        errors=(
            "ModelRequestRejectedError",
            "ModelAuthenticationError",
            "ModelNotFoundError",
            "ModelRateLimitError",
        ),
        failed="ModelServerError",
        missing={**NO_STORED, **NO_CONVERSATION},
        page="pydantic-ai.md",
    ),
    "vercel-ai": Client(
        "Vercel AI SDK, `openai.responses(…)`",
        "@ai-sdk/openai",
        "play_ai_sdk.mjs",
        errors=("APICallError",) * 4,
        failed="RetryError",
        missing=NO_STORED,
    ),
    "codex": Client(
        "Codex CLI, `codex exec`",
        "@openai/codex",
        "play_codex.py",
        errors=("turn.failed",) * 4,
        failed="turn.failed",
        missing={
            **NO_STORED,
            "stream": "each answer is streamed, and printed whole",
            "previous": "it sends its whole history each time",
            "conversation": "it sends its whole history each time",
        },
        differs={
            "tools": "The tool answered",
            "resent": "You said: two (Turn 3; before that you said: one)",
            "503": "turn.failed",
        },
        heavy=True,
    ),
}
