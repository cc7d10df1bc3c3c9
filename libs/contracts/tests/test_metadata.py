"""Metadata: any JSON object that PostgreSQL and every client can hold, within its bounds."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from synctalk_contracts.metadata import MAX_METADATA_BYTES, MAX_METADATA_DEPTH, Metadata

ADAPTER: TypeAdapter[dict[str, Any]] = TypeAdapter(Metadata)


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"": None, "a": [1, 1.5, True, "é", {"b": []}], "n": -(2**63 - 1)},
        {"a": "x" * (MAX_METADATA_BYTES - 8)},
        nested(MAX_METADATA_DEPTH),
    ],
)
def test_metadata__a_json_object__is_kept_as_it_is(metadata: dict[str, Any]) -> None:
    assert ADAPTER.validate_python(metadata, strict=True) == metadata


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        "{}",
        {"a": "x" * (MAX_METADATA_BYTES - 7)},
        {"a": "é" * (MAX_METADATA_BYTES // 2)},
        nested(MAX_METADATA_DEPTH + 1),
        nested(10_000),
        {"a": float("nan")},
        {"a": [float("inf")]},
        {"a": 2**64},
        {"a": 1e300},
        {"a": "\0"},
        {"a": ["\ud800"]},
        {"\0": 1},
        {"\udfff": 1},
    ],
)
def test_metadata__out_of_bounds__is_refused(metadata: Any) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(metadata, strict=True)
