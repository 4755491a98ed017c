"""The guards that are broken one by one: where, by which change, and which tests must turn red."""

from tests.mutants.file_guards import FILES
from tests.mutants.guard import guard
from tests.mutants.ownership import CONDITIONAL_WRITES, OWNERSHIP
from tests.mutants.storage import STORAGE

STREAMS = [
    guard(
        "a cut stream ends with the terminal pair",
        "upstream/stream.py",
        "        yield EventBatch(self.terminal_pair(fault, self._response))\n",
        "        return\n",
        "upstream/test_stream.py",
    ),
    guard(
        "`response.incomplete` is terminal",
        "upstream/stream.py",
        '"response.incomplete", "error"}',
        '"error"}',
        "upstream/test_stream.py",
    ),
    guard(
        "a `[DONE]` before the end is dropped",
        "upstream/stream.py",
        "if self.ended is None and b",
        "if self.ended is not None and b",
        "upstream/test_stream.py",
    ),
    guard(
        "whole events only",
        "sse.py",
        "        ends = [match.end() for match in BLANK_LINE.finditer(self.unfinished, search_from)]\n",
        "        ends = [len(self.unfinished)]\n",
        "test_sse.py",
    ),
    guard(
        "an event has a bound",
        "sse.py",
        "if len(self.unfinished) > self._max_event_bytes:",
        "if len(self.unfinished) < 0:",
        "test_sse.py",
    ),
    guard(
        "a read ends before Lambda's limit",
        "upstream/timers.py",
        "return min(self.ends_at, self.answers_by, self.last_read + self.max_silence, comment)",
        "return min(self.answers_by, self.last_read + self.max_silence, comment)",
        "upstream/test_timers.py",
    ),
    guard(
        "a silent provider is cut off",
        "upstream/timers.py",
        "return min(self.ends_at, self.answers_by, self.last_read + self.max_silence, comment)",
        "return min(self.ends_at, self.answers_by, comment)",
        "upstream/test_timers.py",
    ),
]
RETRIES = [
    guard(
        "only what was not processed goes to the next target",
        "upstream/outcome.py",
        'fails_over=fault.processed == "no"',
        'fails_over=fault.processed != "yes"',
        "upstream/test_outcome.py",
    ),
    guard(
        "SDKs do not repeat what may have been processed",
        "upstream/outcome.py",
        "counts_against_circuit=True, should_retry=False)",
        "counts_against_circuit=True)",
        "upstream/test_outcome.py",
    ),
    guard(
        "what may have been processed stays counted",
        "upstream/outcome.py",
        'return self.processed != "no"',
        'return self.processed == "yes"',
        "upstream/test_outcome.py",
    ),
    guard(
        "a broken connection may have been a sent request",
        "upstream/faults.py",
        "NOTHING_SENT = (httpx.ConnectError,",
        "NOTHING_SENT = (httpx.ReadError, httpx.RemoteProtocolError, httpx.ConnectError,",
        "upstream/test_exchange.py",
        "upstream/test_stream.py",
    ),
    guard(
        "a credential is renewed after a 401 only",
        "upstream/client.py",
        "outcome.status == UNAUTHORIZED:",
        "outcome.status >= UNAUTHORIZED:",
        "upstream/test_client.py",
    ),
    guard(
        "the key of an ambiguous outcome stays in use",
        "upstream/outcome.py",
        """    def frees_key(self) -> bool:
        return self.processed == "no"
""",
        """    def frees_key(self) -> bool:
        return self.processed != "yes"
""",
        "upstream/test_outcome.py",
        "idempotency/test_idempotency_guard.py",
    ),
    guard(
        "a key serves one request only",
        "idempotency/guard.py",
        "if record.fingerprint != request_print:",
        "if not record.fingerprint:",
        "idempotency/test_idempotency_claims.py",
    ),
]
HEADERS_AND_SECRETS = [
    guard(
        "only listed headers go to the provider",
        "upstream/exchange.py",
        'TO_PROVIDER = (\n    "accept",',
        'TO_PROVIDER = (\n    "x-stainless-lang",\n    "accept",',
        "upstream/test_exchange.py",
        "e2e/test_statuses.py::test_only_known_headers_go_to_the_provider",
    ),
    guard(
        "only listed headers go to the caller",
        "upstream/exchange.py",
        "in response.headers.items() if is_known(name)}",
        "in response.headers.items() if name}",
        "upstream/test_exchange.py",
    ),
    guard(
        "no setting passes on what identifies a caller or a credential",
        "settings/section.py",
        "    if PRIVATE_HEADERS.fullmatch(name):",
        "    if name == '':",
        "settings/test_config.py",
    ),
    guard(
        "the account's ids are masked in errors",
        "providers/errors.py",
        'rb"\\1-redacted"',
        'rb"\\g<0>"',
        "upstream/test_exchange.py",
        "e2e/test_secrets_in_answers.py",
    ),
    guard(
        "the gateway's credential is in no answer",
        "upstream/credentials.py",
        "data = _pattern(self._credential).sub(REDACTED, data)",
        "data = bytes(data)",
        "upstream/test_redaction.py",
    ),
    guard(
        "a redirect is not followed or passed on",
        "upstream/exchange.py",
        "if response.status in REDIRECTS:",
        "if response.status < 0:",
        "upstream/test_exchange.py",
    ),
    guard(
        "a header cannot begin a second request",
        "upstream/http1.py",
        'if not REQUEST_HEAD.fullmatch(head) or head.count(b"\\n") != count + 2:',
        'if head.count(b"\\n") < 0:',
        "upstream/test_transport_requests.py",
    ),
    guard(
        "no message of an exception is logged",
        "observability.py",
        '"where": where}',
        '"where": f"{where} {exc}"}',
        "test_observability.py",
    ),
    guard(
        "plain http is for this machine only",
        "settings/addresses.py",
        'parts.scheme == "http" and parts.hostname in LOOPBACK',
        'parts.scheme == "http"',
        "settings/test_config.py",
    ),
]
CALLERS_AND_BODIES = [
    guard(
        "what could not be judged is refused",
        "guardrail.py",
        "            if self.refuses_on_error:",
        "            if self.refuses_on_error is None:",
        "test_guardrail.py",
    ),
    guard(
        "a token for another audience is refused",
        "oidc.py",
        "            audience=settings.audience,\n",
        "            audience=jwt.decode(token, options={'verify_signature': False}).get('aud'),\n",
        "test_oidc.py",
    ),
    guard(
        "a tenant of a token has the form of a tenant",
        "oidc.py",
        "or not TENANT.fullmatch(tenant)",
        "or not tenant",
        "test_oidc.py",
    ),
    guard(
        "a key ends when it expires",
        "auth.py",
        "if record is None or self._clock() >= valid_until:",
        "if record is None:",
        "test_auth.py",
        "test_auth_cache.py",
    ),
    guard(
        "a revoked key is no key",
        "store/keys.py",
        "if self.revoked_at is not None:",
        "if self.revoked_at == 0:",
        "test_auth.py",
        "store/test_keyring.py",
    ),
    guard(
        "use does not keep a key in the cache",
        "auth.py",
        "if cached is None:  # use must not extend the time in the cache",
        "if True:",
        "test_auth_cache.py",
    ),
    guard(
        "two different keys are none",
        "auth.py",
        "    if keys:",
        "    if False:",
        "test_auth.py",
    ),
    guard(
        "a repeated key of a body is refused",
        "schema/json_document.py",
        "catch_duplicate_keys=True",
        "catch_duplicate_keys=False",
        "schema/test_json_document.py",
    ),
    guard(
        "a body has a bound",
        "http_events.py",
        "if len(body) > self.max_body_bytes:",
        "if len(body) < 0:",
        "test_http_events.py",
    ),
    guard(
        "a compressed body is refused",
        "http_events.py",
        'if headers.get("content-encoding", "identity").lower() != "identity":',
        'if headers.get("content-encoding") == "":',
        "test_http_events.py",
    ),
    guard(
        "Base64 is read strictly",
        "http_events.py",
        "strict_mode=True",
        "strict_mode=False",
        "test_http_events.py",
    ),
    guard(
        "a budget refuses a model without a price",
        "limits/admission.py",
        "            raise price_unknown(body.model, tier)",
        "            return 0",
        "limits/test_limits_refusals.py",
        "limits/test_limits_admission.py",
    ),
]
POLICIES = [
    guard(
        "a forbidden tool is found wherever it stands",
        "schema/policy_subjects.py",
        "            if child and member not in NOT_ENTERED:\n",
        "            if child and not path and member not in NOT_ENTERED:\n",
        "policies/test_policy_rules.py",
    ),
    guard(
        "no pattern of hosts allows a private address",
        "policies/rules.py",
        "    if is_internal(host):\n",
        "    if is_internal(host) and not allowed:\n",
        "policies/test_policy_rules.py",
    ),
    guard(
        "a request goes to permitted targets only",
        "routing.py",
        "        permitted = self._policies.permitted(found, caller)\n        if not permitted:\n",
        "        permitted = found\n        if not permitted:\n",
        "test_routing_pinned.py",
    ),
]
FOLLOW_UP = [
    guard(
        "a webhook is taken only from whoever has its secret",
        "schema/provider_webhook.py",
        "any(hmac.compare_digest(expected, each) for each in given)",
        "any(given)",
        "api/test_provider_webhooks.py",
    ),
    guard(
        "a webhook that was recorded cannot be sent again later",
        "schema/provider_webhook.py",
        "abs(now - int(self.timestamp)) <= TOLERANCE_SECONDS",
        "bool(now)",
        "api/test_provider_webhooks.py",
    ),
    guard(
        "a response is not given up at its first 404",
        "follow_up.py",
        "elif state == GONE and poll.attempt >= MIN_POLLS_BEFORE_GONE:",
        "elif state == GONE:",
        "follow_up/test_follow_up_polls.py",
    ),
    guard(
        "a response that has not ended is polled",
        "rollup/handler.py",
        "                self._queue.send(poll)\n",
        "                repr(poll)\n",
        "rollup/test_rollup_polls.py",
    ),
]
GUARDS = [
    *OWNERSHIP,
    *CONDITIONAL_WRITES,
    *STREAMS,
    *RETRIES,
    *HEADERS_AND_SECRETS,
    *CALLERS_AND_BODIES,
    *STORAGE,
    *POLICIES,
    *FOLLOW_UP,
    *FILES,
]
