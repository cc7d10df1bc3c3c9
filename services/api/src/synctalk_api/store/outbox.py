"""Rows of the runtime's outbox, for statements that write them together with what makes an event true.

The envelope is that of `synctalk_runtime.outbox.rows`, but around JSON that is encoded already: a message is encoded
once, and the same bytes go into the reply, the fan-out and the event.
"""

from typing import Any

import orjson
from synctalk_contracts.envelope import Event
from synctalk_runtime.ids import new_id


def row(event: type[Event], payload: dict[str, Any], time: str, traceparent: str | None) -> tuple[str, str]:
    """Return (type, envelope). `payload` may hold `orjson.Fragment`s."""
    return event.type_name(), f"{opening(event, time, traceparent)}{orjson.dumps(payload).decode()}}}"


def opening(event: type[Event], time: str, traceparent: str | None) -> str:
    """Return an envelope up to its payload; after the payload one brace closes it."""
    trace = "null" if traceparent is None else orjson.dumps(traceparent).decode()
    return f'{{"id":"{new_id()}","type":"{event.type_name()}","time":"{time}","traceparent":{trace},"payload":'
