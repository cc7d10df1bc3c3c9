"""Metadata: a JSON object that a host app keeps with a thing of ours, and that means nothing here."""

from collections.abc import Iterator
from math import isfinite
from typing import Annotated

import orjson
from pydantic import AfterValidator, Field, JsonValue

from synctalk_contracts.ids import MAX_INT64
from synctalk_contracts.text import storable

MAX_METADATA_BYTES = 4096
"""As compact JSON in UTF-8."""
MAX_METADATA_DEPTH = 16


def _bounded(metadata: dict[str, JsonValue]) -> dict[str, JsonValue]:
    for value, depth in _values(metadata):
        if depth > MAX_METADATA_DEPTH:
            raise ValueError(f"must not be nested deeper than {MAX_METADATA_DEPTH}")
        if isinstance(value, str):
            storable(value)
        elif isinstance(value, int | float) and not (isfinite(value) and abs(value) <= MAX_INT64):
            raise ValueError("must have numbers within 64 bits only")
    if len(orjson.dumps(metadata)) > MAX_METADATA_BYTES:
        raise ValueError(f"must not be larger than {MAX_METADATA_BYTES} bytes")
    return metadata


def _values(metadata: dict[str, JsonValue]) -> Iterator[tuple[JsonValue, int]]:
    """Yield every key and value with its depth."""
    waiting: list[tuple[JsonValue, int]] = [(metadata, 1)]
    while waiting:
        value, depth = waiting.pop()
        yield value, depth
        if isinstance(value, dict):
            waiting += [(key, depth) for key in value]
            waiting += [(item, depth + 1) for item in value.values()]
        elif isinstance(value, list):
            waiting += [(item, depth + 1) for item in value]


Metadata = Annotated[dict[str, JsonValue], Field(max_length=MAX_METADATA_BYTES // 5), AfterValidator(_bounded)]
"""At most 4 KiB, in what a client sends."""
