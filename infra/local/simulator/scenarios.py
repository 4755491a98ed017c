"""The table of scenarios by model name."""

from collections.abc import Mapping

from infra.local.simulator import errors, events, output, scenario, stream
from infra.local.simulator.errors import ApiError, RawResponse, model_not_found, server_error
from infra.local.simulator.scenario import Scenario, Timing
from infra.local.simulator.scenario_names import SCENARIO_PREFIX, find_by_name
from infra.local.simulator.stream import all_disconnects

MISSING_MODEL = "missing"  # a model or deployment with this prefix does not exist

SCENARIOS: Mapping[str, Scenario] = {
    # Output
    "sim-text": Scenario("Answers in text, as any other model name does."),
    "sim-function-call": Scenario(
        "Calls the first function tool.", build_output=output.function_output
    ),
    "sim-structured": Scenario(
        "Answers in JSON that is valid for the schema, if there is one.",
        build_output=output.structured_output,
    ),
    "sim-refusal": Scenario("Refuses in a refusal part.", build_output=output.refusal_output),
    "sim-reasoning": Scenario(
        "Reasons, with a summary, then answers.", build_output=output.reasoning_output
    ),
    "sim-incomplete": Scenario(
        "Stops at half of the text, at max_output_tokens, with response.incomplete.",
        final_status=scenario.INCOMPLETE,
    ),
    "sim-content-filter-output": Scenario(
        "Stops at half of the text, at the content filter, with response.incomplete.",
        final_status=scenario.CONTENT_FILTERED,
    ),
    "sim-failed": Scenario("Ends in response.failed, after output.", final_status=scenario.FAILED),
    # Timing
    "sim-slow": Scenario(
        "Waits half a second before each delta.", timing=Timing(between_deltas=0.5)
    ),
    "sim-delay": scenario.delay_deltas(),
    "sim-long": scenario.send_many_deltas(),
    "sim-queued": scenario.stay_queued(),
    "sim-silent-before-headers": scenario.delay_headers(),
    "sim-silent-before-first-event": scenario.delay_first_event(),
    "sim-silent-mid-stream": scenario.pause_mid_stream(),
    # Valid streams in unusual formats
    "sim-comments": Scenario(
        "Sends `: keep-alive` comments between events.", encode=stream.encode_with_comment
    ),
    "sim-crlf": Scenario("Ends its lines with CRLF.", encode=stream.encode_with_crlf),
    "sim-cr": Scenario("Ends its lines with CR alone.", encode=stream.encode_with_cr),
    "sim-multi-line-data": Scenario(
        "Splits the JSON of each event into many data lines.", encode=stream.encode_multi_line
    ),
    "sim-no-event-lines": Scenario("Sends no event lines.", encode=stream.encode_without_name),
    "sim-done": Scenario(
        "Sends `data: [DONE]` after the last event.", edit_chunks=stream.append_done
    ),
    "sim-unknown": Scenario(
        "Sends event types and fields that no SDK knows.", edit_events=events.add_unknown_events
    ),
    "sim-odd-json": Scenario(
        "Writes numbers, strings and white space in unusual ways.",
        encode=stream.encode_unusual_json,
    ),
    "sim-one-byte": Scenario(
        "Sends each byte as one chunk, also within characters.",
        build_output=output.multibyte_output,
        edit_chunks=stream.split_bytes,
    ),
    "sim-one-chunk": Scenario("Sends all events in one chunk.", edit_chunks=stream.join_chunks),
    "sim-big": scenario.send_big_event(),
    "sim-gzip": Scenario("Compresses the body without regard to Accept-Encoding.", gzip=True),
    "sim-queued-first": Scenario(
        "Sends response.queued with the id before response.created.",
        edit_events=events.start_with_queued,
    ),
    # Errors in the stream
    "sim-error-flat": Scenario(
        "Ends in a flat `error` event.",
        final_status=scenario.FAILED,
        edit_events=events.end_with_flat_error,
    ),
    "sim-error-nested": Scenario(
        "Ends in a nested `error` event and response.failed.",
        final_status=scenario.FAILED,
        edit_events=events.end_with_nested_error,
    ),
    "sim-error-first": Scenario(
        "Sends a nested `error` event and nothing else.",
        final_status=scenario.FAILED,
        edit_events=events.only_nested_error,
    ),
    # Errors instead of a stream
    "sim-400": Scenario(
        "400 invalid_prompt.",
        replacement=ApiError(400, "Invalid prompt: it was flagged.", "invalid_prompt", "input"),
    ),
    "sim-401": Scenario(
        "401, as with an invalid key.",
        replacement=ApiError(401, "Incorrect API key provided: sim.", "invalid_api_key"),
    ),
    "sim-403": Scenario(
        "403, as in an unsupported country.",
        replacement=ApiError(
            403,
            "Country, region, or territory not supported",
            "unsupported_country_region_territory",
            type="request_forbidden",
        ),
    ),
    "sim-404": Scenario("404 model_not_found.", replacement=model_not_found("sim-404")),
    "sim-408": Scenario("408, timed out.", replacement=server_error(408, "The request timed out.")),
    "sim-409": Scenario(
        "409, a conflict.",
        replacement=server_error(409, "The request conflicts with another one."),
    ),
    "sim-429": scenario.limit_rate(),
    "sim-429-quota": Scenario("429 insufficient_quota.", replacement=errors.QUOTA_EXCEEDED),
    "sim-500": Scenario("500 server_error.", replacement=server_error(500)),
    "sim-502": Scenario("502 in HTML.", replacement=errors.html_page(502, b"502 Bad Gateway")),
    "sim-503": Scenario(
        "503, overloaded.",
        replacement=server_error(503, "The server is overloaded.", "server_is_overloaded"),
    ),
    "sim-504": Scenario(
        "504, timed out.", replacement=server_error(504, "The model did not answer in time.")
    ),
    "sim-529": Scenario("529, overloaded.", replacement=server_error(529, "Overloaded.")),
    "sim-empty-500": Scenario("500 with an empty body.", replacement=RawResponse(500)),
    "sim-html-200": Scenario("200 in HTML.", replacement=errors.html_page(200, b"Welcome")),
    "sim-empty-200": Scenario("200 with an empty body.", replacement=RawResponse(200)),
    "sim-json-200": Scenario("Answers a stream request in JSON.", can_stream=False),
    "sim-302": Scenario(
        "302 to another path of this server.",
        replacement=RawResponse(302, headers={"location": "/v1/redirected"}),
    ),
    "sim-content-filter": Scenario(
        "400 content_filter, in Azure's format.", replacement=errors.CONTENT_FILTER_RESPONSE
    ),
    # Responses that a disconnect ends early
    **{
        f"sim-{disconnect.name}": Scenario(disconnect.about, disconnect=disconnect)
        for disconnect in all_disconnects()
    },
}


def find_scenario(model: str) -> Scenario:
    """Returns the scenario for a model name. Raises ApiError for an unknown scenario."""
    if not model.startswith((SCENARIO_PREFIX, MISSING_MODEL)):
        return SCENARIOS["sim-text"]
    found = find_by_name(SCENARIOS, model)
    if found is None:
        raise model_not_found(model)
    return found
