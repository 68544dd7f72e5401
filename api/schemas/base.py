"""What all answers share: how they are read, and the one shape of errors."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Out(BaseModel):
    """Something that is given: read from the attributes of a row."""

    model_config = ConfigDict(from_attributes=True)


class ErrorBody(BaseModel):
    """What went wrong."""

    kind: str = Field(examples=["not_found"])
    message: str = Field(examples=["there is no mention 17"])
    request_id: str = Field(examples=["5f2c9e01ab34"])


class ErrorOut(BaseModel):
    """The one shape of every error."""

    error: ErrorBody
