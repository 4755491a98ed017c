"""The table of CDK options, from the model that checks them."""

from infra.constructs.options import LOG_DAYS, PREFIX, Options
from infra.pages.tables import build_table, format_allowed, format_default

COLUMNS = ("Option", "Default", "Allowed", "Meaning")
# Checked by a function, which a schema cannot state.
ALLOWED = {"log_days": ", ".join(map(str, LOG_DAYS))}


def option_table() -> str:
    """Return one row for each option, in the order of the model."""
    rows = [
        (
            f"`{PREFIX}{name}`",
            format_default(field),
            ALLOWED.get(name) or format_allowed(Options, name),
            field.description or "",
        )
        for name, field in Options.model_fields.items()
    ]
    return build_table(COLUMNS, rows)
