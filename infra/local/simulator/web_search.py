"""Plays the tool `web_search`: one search, and a citation of what it found."""

from infra.local.simulator.items import Json, new_id
from infra.local.simulator.request_body import CreateRequest
from infra.local.simulator.tool_use import ToolUse

SOURCES = "web_search_call.action.sources"  # value of `include`
DOMAIN = "example.com"
PATHS = ("", "about", "news")  # of the pages that each search finds


def search_web(request: CreateRequest, tool: Json) -> ToolUse:
    domains = (tool.get("filters") or {}).get("allowed_domains") or [DOMAIN]
    urls = [f"https://{domain}/{path}" for domain in domains for path in PATHS]
    action: Json = {"type": "search", "query": request.question, "queries": [request.question]}
    if SOURCES in request.include:
        action["sources"] = [{"type": "url", "url": url} for url in urls]
    call: Json = {
        "id": new_id("ws"),
        "type": "web_search_call",
        "status": "completed",
        "action": action,
    }
    return ToolUse([call]) + _cite(str(domains[0]), urls[0])


def _cite(domain: str, url: str) -> ToolUse:
    text = f" The web has a page about it ([{domain}]({url}))"
    citation = {
        "type": "url_citation",
        "start_index": text.index("("),
        "end_index": len(text),
        "title": f"A page of {domain}",
        "url": url,
    }
    return ToolUse(text=f"{text}.", annotations=[citation])
