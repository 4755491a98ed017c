"""What every section of `gateway.toml` has in common: no key but the known ones, no guessing."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
