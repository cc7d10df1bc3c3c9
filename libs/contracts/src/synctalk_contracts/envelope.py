"""Envelopes, in which events travel on RabbitMQ: a bus message is a JSON array of envelopes, usually of one.

The array is there because batches decide what a message costs: a broker moves thirty in one frame for the price of one.
"""

from typing import Any, ClassVar

from pydantic import TypeAdapter

from synctalk_contracts.base import Contract
from synctalk_contracts.ids import Id, Timestamp


class Event(Contract):
    """Something that happened. `NAME` is `<noun>.<past participle>`, `VERSION` counts from 1."""

    NAME: ClassVar[str]
    VERSION: ClassVar[int] = 1

    @classmethod
    def type_name(cls) -> str:
        """The routing key and schema name: `message.created.v1`."""
        return f"{cls.NAME}.v{cls.VERSION}"


class Envelope(Contract):
    id: Id
    """The same on every repeat, so that a reader recognizes it."""
    type: str
    time: Timestamp
    traceparent: str | None = None
    """W3C trace context of what caused it."""
    payload: dict[str, Any]


_ENVELOPES: TypeAdapter[list[Envelope]] = TypeAdapter(list[Envelope])


def read_envelopes(data: bytes) -> list[Envelope]:
    """Read a bus message. Raises pydantic.ValidationError when it is not an array of envelopes."""
    return _ENVELOPES.validate_json(data, extra="ignore")


def write_envelopes(envelopes: list[Envelope]) -> bytes:
    return _ENVELOPES.dump_json(envelopes)
