"""Rows of the runtime's outbox, for statements that write it together with what makes an event true.

Same envelope as `synctalk_runtime.outbox.rows`, but around JSON that is made already: a message is encoded once, and
the same bytes go into the ack, the fan-out and the event.
"""

from typing import Any

import orjson
from synctalk_contracts.envelope import Event
from synctalk_runtime.ids import new_id


def row(event: type[Event], payload: dict[str, Any], time: str, traceparent: str | None) -> tuple[str, str]:
    """(type, envelope). `payload` may hold `orjson.Fragment`s."""
    return event.type_name(), f"{opening(event, time, traceparent)}{orjson.dumps(payload).decode()}}}"


def opening(event: type[Event], time: str, traceparent: str | None) -> str:
    """An envelope up to its payload; after that one brace closes it."""
    trace = "null" if traceparent is None else orjson.dumps(traceparent).decode()
    return f'{{"id":"{new_id()}","type":"{event.type_name()}","time":"{time}","traceparent":{trace},"payload":'
