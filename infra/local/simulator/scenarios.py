"""The table of behaviours: which model name brings which answer."""

import re
from collections.abc import Mapping

from infra.local.simulator import endings, frames, pages, speech, tales, tunable
from infra.local.simulator.cuts import every_cut
from infra.local.simulator.pace import Pace
from infra.local.simulator.pages import Page, failure
from infra.local.simulator.refusals import Refusal, no_model
from infra.local.simulator.scenario import Scenario

SIMULATED = "sim-"
MISSING = "missing"  # a model or deployment so called is not there
TUNED = re.compile(r"(?P<name>sim-.+)-(?P<number>\d{1,7})(?P<unit>ms|s)?")

SCENARIOS: Mapping[str, Scenario] = {
    # What is said
    "sim-text": Scenario("Answers in text, as any other model name does."),
    "sim-function-call": Scenario("Calls the first function tool.", says=speech.calling),
    "sim-structured": Scenario(
        "Answers in JSON, fitted to the schema if one is given.", says=speech.structured
    ),
    "sim-refusal": Scenario("Refuses in a refusal part.", says=speech.refusing),
    "sim-reasoning": Scenario("Reasons, with a summary, then answers.", says=speech.thinking),
    "sim-incomplete": Scenario(
        "Stops halfway, at max_output_tokens, with response.incomplete.",
        ending=endings.INCOMPLETE,
    ),
    "sim-content-filter-output": Scenario(
        "Stops halfway, at the content filter, with response.incomplete.",
        ending=endings.FILTERED,
    ),
    "sim-failed": Scenario("Ends in response.failed, after output.", ending=endings.FAILED),
    # At which pace
    "sim-slow": Scenario("Waits half a second before each delta.", pace=Pace(between=0.5)),
    "sim-delay": tunable.delay(),
    "sim-long": tunable.long(),
    "sim-queued": tunable.queued(),
    "sim-silent-before-headers": tunable.silent_before_headers(),
    "sim-silent-before-first-event": tunable.silent_before_first_event(),
    "sim-silent-mid-stream": tunable.silent_mid_stream(),
    # Healthy streams in unusual shapes
    "sim-comments": Scenario(
        "Sends `: keep-alive` comments between events.", writes=frames.commented
    ),
    "sim-crlf": Scenario("Ends its lines with CRLF.", writes=frames.crlf),
    "sim-cr": Scenario("Ends its lines with CR alone.", writes=frames.cr),
    "sim-multi-line-data": Scenario(
        "Spreads each event's JSON over many data lines.", writes=frames.multi_line
    ),
    "sim-no-event-lines": Scenario("Leaves out the event lines.", writes=frames.nameless),
    "sim-done": Scenario("Sends `data: [DONE]` after the last event.", shapes=frames.done_at_end),
    "sim-unknown": Scenario(
        "Sends event types and fields that nobody knows yet.", tells=tales.unknown
    ),
    "sim-odd-json": Scenario(
        "Writes numbers, strings and white space in odd ways.", writes=frames.odd_json
    ),
    "sim-one-byte": Scenario(
        "Sends each byte in a chunk of its own, also within characters.",
        says=speech.every_width,
        shapes=frames.one_byte_each,
    ),
    "sim-one-chunk": Scenario("Sends all events in one chunk.", shapes=frames.all_in_one),
    "sim-big": tunable.big(),
    "sim-gzip": Scenario("Compresses the body, asked to or not.", gzip=True),
    "sim-queued-first": Scenario(
        "Tells the id in response.queued, before response.created.", tells=tales.queued_first
    ),
    # Errors in the stream
    "sim-error-flat": Scenario(
        "Ends in a flat `error` event.", ending=endings.FAILED, tells=tales.flat_error
    ),
    "sim-error-nested": Scenario(
        "Ends in a nested `error` event and response.failed.",
        ending=endings.FAILED,
        tells=tales.nested_error,
    ),
    "sim-error-first": Scenario(
        "Sends a nested `error` event and nothing else.",
        ending=endings.FAILED,
        tells=tales.error_first,
    ),
    # Errors in its place
    "sim-400": Scenario(
        "400 invalid_prompt.",
        instead=Refusal(400, "Invalid prompt: it was flagged.", "invalid_prompt", "input"),
    ),
    "sim-401": Scenario(
        "401, as if the provider's key were wrong.",
        instead=Refusal(401, "Incorrect API key provided: sim.", "invalid_api_key"),
    ),
    "sim-403": Scenario(
        "403, as from a country that is not served.",
        instead=Refusal(
            403,
            "Country, region, or territory not supported",
            "unsupported_country_region_territory",
            type="request_forbidden",
        ),
    ),
    "sim-404": Scenario("404 model_not_found.", instead=no_model("sim-404")),
    "sim-408": Scenario("408, timed out.", instead=failure(408, "The request timed out.")),
    "sim-409": Scenario(
        "409, in conflict.", instead=failure(409, "The request conflicts with another one.")
    ),
    "sim-429": tunable.rate_limited(),
    "sim-429-quota": Scenario("429 insufficient_quota.", instead=pages.OUT_OF_QUOTA),
    "sim-500": Scenario("500 server_error.", instead=failure(500)),
    "sim-502": Scenario("502 in HTML.", instead=pages.html(502, b"502 Bad Gateway")),
    "sim-503": Scenario(
        "503, overloaded.",
        instead=failure(503, "The server is overloaded.", "server_is_overloaded"),
    ),
    "sim-504": Scenario(
        "504, timed out.", instead=failure(504, "The model did not answer in time.")
    ),
    "sim-529": Scenario("529, overloaded.", instead=failure(529, "Overloaded.")),
    "sim-empty-500": Scenario("500 with an empty body.", instead=Page(500)),
    "sim-html-200": Scenario("200 in HTML.", instead=pages.html(200, b"Welcome")),
    "sim-empty-200": Scenario("200 with an empty body.", instead=Page(200)),
    "sim-json-200": Scenario("Answers in plain JSON where a stream was asked for.", streams=False),
    "sim-302": Scenario(
        "302 to another path of this server.",
        instead=Page(302, headers={"location": "/v1/redirected"}),
    ),
    "sim-content-filter": Scenario(
        "400 content_filter, in Azure's shape.", instead=pages.CONTENT_FILTERED
    ),
    # Answers that break off
    **{f"sim-{cut.name}": Scenario(cut.about, cut=cut) for cut in every_cut()},
}


def scenario(model: str) -> Scenario:
    """What a model of this name does."""
    if model in SCENARIOS:
        return SCENARIOS[model]
    if model.startswith(MISSING):
        raise no_model(model)
    return _tuned(model) if model.startswith(SIMULATED) else SCENARIOS["sim-text"]


def _tuned(model: str) -> Scenario:
    match = TUNED.fullmatch(model)
    known = SCENARIOS.get(match["name"]) if match else None
    if match is None or known is None or known.tunes is None:
        raise no_model(model)
    return known.tunes(int(match["number"]) * (1000 if match["unit"] == "s" else 1))
