"""Opaque page cursors: where the next page begins, in a form that clients only hand back."""

import base64
import binascii
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from synctalk_runtime.errors import BadCursorError

MAX_CHARS = 1024

T = TypeVar("T")


def encode(position: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode(cursor: str, shape: TypeAdapter[T]) -> T:
    """The position that `encode` was given. Raises BadCursorError when it is none of ours."""
    try:
        if len(cursor) > MAX_CHARS:
            raise BadCursorError
        padded = cursor + "=" * (-len(cursor) % 4)
        return shape.validate_json(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
    except (ValidationError, binascii.Error, ValueError) as error:
        raise BadCursorError from error
