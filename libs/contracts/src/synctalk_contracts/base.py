"""The two kinds of model: what we build, and what a client sends."""

from typing import Self

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """A shape between two parties. Building refuses unknown fields; `from_bytes` ignores them."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, ser_json_inf_nan="null", allow_inf_nan=False, serialize_by_alias=True
    )

    @classmethod
    def from_bytes(cls, data: bytes | str) -> Self:
        """Parse what another service wrote; fields that we do not know yet are ignored.

        Raises:
            pydantic.ValidationError: the bytes are not JSON or not of this shape.
        """
        return cls.model_validate_json(data, extra="ignore")

    def to_bytes(self) -> bytes:
        return self.model_dump_json().encode()


class Request(BaseModel):
    """A shape that clients send: unknown fields and values of another type are refused, never converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
