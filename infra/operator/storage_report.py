"""What tenants and keys have stored now: as JSON, as a table, and as a sentence."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.filesize import decimal

from antiphon.store.storage import CONTAINERS, FILE_BYTES, FILES, STORED, VECTOR_STORES, Storage
from antiphon.store.usage import CONTAINER_MINUTES
from infra.operator.usage_report import UsageReport, add_key_name

HEADINGS = ("files", "size", "vector stores", "containers")


def storage_json(found: Sequence[Storage]) -> list[dict[str, Any]]:
    """Return each tenant, followed by its keys; the tenant's own have no key."""
    return [{"tenant": each.key.tenant, "key_id": each.key.key_id, **each.counts} for each in found]


def storage_rows(
    found: Sequence[Storage], key_names: Mapping[str, str | None], *, by_key: bool
) -> tuple[list[str], list[list[str]]]:
    """Return the headings and rows for each tenant, or for each key, that has something stored."""
    rows = []
    for each in found:
        key_id = each.key.key_id
        if (key_id is not None) == by_key and any(each.counts.values()):
            names = [each.key.tenant, *([add_key_name(key_id, key_names)] if key_id else [])]
            rows.append([*names, *_figures(each.counts)])
    return ["tenant", *(["key"] if by_key else []), *HEADINGS], rows


def storage_remarks(report: UsageReport, found: Sequence[Storage]) -> Iterator[str]:
    """State what the containers have run, and what is stored by all tenants of the report."""
    minutes = report.total.counts[CONTAINER_MINUTES]
    if minutes:
        yield (
            f"Containers ran for about {minutes:,} minutes: an estimate, until 20 minutes after "
            "their last use."
        )
    wholes = [each.counts for each in found if each.key.key_id is None]
    total = {name: sum(counts[name] for counts in wholes) for name in STORED}
    if any(total.values()):
        yield (
            f"Stored now: files {total[FILES]:,} ({decimal(total[FILE_BYTES])}), "
            f"vector stores {total[VECTOR_STORES]:,}, containers {total[CONTAINERS]:,}."
        )


def _figures(counts: Mapping[str, int]) -> list[str]:
    numbers = (f"{counts[name]:,}" for name in (VECTOR_STORES, CONTAINERS))
    return [f"{counts[FILES]:,}", decimal(counts[FILE_BYTES]), *numbers]
