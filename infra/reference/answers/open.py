"""An object of which the documented members are told and all others pass."""

from pydantic import BaseModel, ConfigDict


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
