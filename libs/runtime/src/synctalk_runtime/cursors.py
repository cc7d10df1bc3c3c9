"""Opaque page cursors: of which list, what was asked, and where the next page begins. Clients only hand them back.

A cursor is enough by itself: it holds what was asked. Beside it may stand the same parameters again; others, or the
cursor of another list, are refused.
"""

import base64
import binascii
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from synctalk_runtime.errors import BadCursorError

MAX_CHARS = 4096

Asked = TypeVar("Asked", bound=tuple[Any, ...])
Position = TypeVar("Position")


def encode(list_name: str, asked: tuple[Any, ...], position: Any) -> str:
    """`list_name` names the list among all of the service, with the id of what it belongs to."""
    return base64.urlsafe_b64encode(orjson.dumps([list_name, asked, position])).decode().rstrip("=")


def decode(
    cursor: str, list_name: str, beside: tuple[Any, ...], shape: TypeAdapter[tuple[str, Asked, Position]]
) -> tuple[Asked, Position]:
    """Return what was asked, and the position. `beside` has the parameters beside the cursor; None: left out.

    Raises BadCursorError when it is none of ours, of another list, or of another question.
    """
    try:
        if len(cursor) > MAX_CHARS:
            raise BadCursorError
        padded = cursor + "=" * (-len(cursor) % 4)
        named, asked, position = shape.validate_json(
            base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        )
    except (ValidationError, binascii.Error, ValueError) as error:
        raise BadCursorError from error
    if named != list_name or any(given is not None and given != was for given, was in zip(beside, asked, strict=True)):
        raise BadCursorError
    return asked, position
