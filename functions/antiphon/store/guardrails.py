"""Guardrails, which judge the text of a request: a Lambda function, or one of Amazon Bedrock."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from antiphon.store.aws_api import OK, AwsAnswer, RestApi
from antiphon.store.aws_session import AwsSession

FUNCTION_ERROR = "x-amz-function-error"
MAX_REASON_CHARS = 500
ALLOW, REFUSE = "allow", "refuse"
INTERVENED, NOTHING_FOUND, BLOCKED = "GUARDRAIL_INTERVENED", "NONE", "BLOCKED"
MASKED = "it has what the guardrail masks"
NO_REASON = "no reason is given"


@dataclass(frozen=True)
class Question:
    """The text of one request, and whose it is."""

    tenant: str
    model: str | None
    texts: Sequence[str]


class NoVerdict(Exception):
    """The guardrail did not answer, or not as documented; the message quotes nothing of it."""


class FunctionGuardrail:
    """A Lambda function of the operator's.

    It gets `{"tenant", "model", "texts"}` and returns `{"action": "allow"}` or
    `{"action": "refuse", "reason": "…"}`.
    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """

    def __init__(self, aws: AwsSession, function: str, seconds: float) -> None:
        path = f"/2015-03-31/functions/{quote(function, safe='')}/invocations"
        self._api = aws.open_path("lambda", "lambda", path, seconds)

    def judge(self, question: Question) -> str | None:
        """Return why the text is refused, or None; raise NoVerdict."""
        document = {
            "tenant": question.tenant,
            "model": question.model,
            "texts": [*question.texts],
        }
        answer = _post(self._api, document)
        if FUNCTION_ERROR in answer.headers:
            raise NoVerdict("the function failed")
        verdict = _read(answer)
        if verdict.get("action") == ALLOW:
            return None
        if verdict.get("action") != REFUSE:
            raise NoVerdict("its answer has no action 'allow' or 'refuse'")
        return _reason(verdict.get("reason"))


class BedrockGuardrail:
    """A guardrail of Amazon Bedrock: what it would block or mask is refused.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html
    """

    def __init__(self, aws: AwsSession, name: str, seconds: float) -> None:
        """`name` is `ID:VERSION`."""
        id, _, version = name.partition(":")
        path = f"/guardrail/{quote(id, safe='')}/version/{quote(version, safe='')}/apply"
        self._api = aws.open_path("bedrock-runtime", "bedrock", path, seconds)

    def judge(self, question: Question) -> str | None:
        """Return why the text is refused, or None; raise NoVerdict."""
        content = [{"text": {"text": text}} for text in question.texts]
        verdict = _read(_post(self._api, {"source": "INPUT", "content": content}))
        if verdict.get("action") == NOTHING_FOUND:
            return None
        if verdict.get("action") != INTERVENED:
            raise NoVerdict("its answer has no action")
        if not any(action == BLOCKED for action in _actions(verdict.get("assessments"))):
            return MASKED  # its output would be the text without what is masked
        return _reason(_first_output(verdict))


class BedrockOutput(BaseModel):
    model_config = ConfigDict(defer_build=True)  # most gateways have no guardrail

    text: str


class BedrockOutputs(BaseModel):
    model_config = ConfigDict(defer_build=True)

    outputs: list[BedrockOutput] = Field(min_length=1)


def _first_output(verdict: Mapping[str, Any]) -> str | None:
    """Return the message that the operator configured for what is blocked."""
    try:
        return BedrockOutputs.model_validate(verdict).outputs[0].text
    except ValidationError:
        return None


def _actions(value: Any) -> Iterator[Any]:
    """Yield what each rule that was found does; they stand at different depths."""
    nodes = [value]
    while nodes:
        node = nodes.pop()
        if isinstance(node, list):
            nodes += node
        elif isinstance(node, dict):
            yield node.get("action")
            nodes += node.values()


def _post(api: RestApi, document: Mapping[str, Any]) -> AwsAnswer:
    try:
        answer = api.post(document)
    except BotoCoreError as exc:
        raise NoVerdict(f"no answer: {type(exc).__name__}") from exc
    if answer.status != OK:
        raise NoVerdict(f"status {answer.status}")
    return answer


def _read(answer: AwsAnswer) -> Mapping[str, Any]:
    try:
        verdict = json.loads(answer.body)
    except ValueError as exc:
        raise NoVerdict("its answer is not JSON") from exc
    if not isinstance(verdict, dict):
        raise NoVerdict("its answer is not an object")
    return verdict


def _reason(reason: Any) -> str:
    return reason[:MAX_REASON_CHARS] if isinstance(reason, str) and reason else NO_REASON
