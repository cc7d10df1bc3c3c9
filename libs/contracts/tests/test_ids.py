"""The scalar types: what an id, a number, a time may be."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from synctalk_contracts import ids, topology
from synctalk_contracts.base import Request

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def _refused(kind: Any, value: object) -> bool:
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("kind", [ids.ClientMessageId, ids.Username])
@pytest.mark.parametrize("value", ["a\0b", "\ud800", 1, None, True, b"abc", ["a"]], ids=repr)
def test_identifier__that_is_no_text_or_not_storable__is_refused(kind: Any, value: object) -> None:
    assert _refused(kind, value)


@pytest.mark.parametrize(
    "value", ["", "x", ID[:-1], ID + "0", ID + "\n", f"{{{ID}}}", ID.replace("-", ""), "g" + ID[1:], 1]
)
def test_id__of_another_form__is_refused(value: object) -> None:
    assert _refused(ids.Id, value)


def test_id__in_upper_case__is_made_lower() -> None:
    assert TypeAdapter(ids.Id).validate_python(ID.upper()) == ID


@pytest.mark.parametrize("value", ["", "a b", "a" * 65, "é", "a\n", "a.b", "a/b"])
def test_client_message_id__of_another_form__is_refused(value: str) -> None:
    assert _refused(ids.ClientMessageId, value)


@pytest.mark.parametrize("value", ["ab", "a" * 33, "a b", "ada!", "ädа", "ada\n", "", "a@b"])
def test_username__of_another_form__is_refused(value: str) -> None:
    assert _refused(ids.Username, value)


class _Numbers(Request):
    seq: ids.Seq


@pytest.mark.parametrize("value", [-1, 2**63, 2**70, 1.0, 1.5, float("nan"), float("inf"), "1", True, None])
def test_seq__no_whole_number_of_64_bits__is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        _Numbers.model_validate({"seq": value})


class _Times(BaseModel):
    at: ids.Timestamp


def test_time__is_written_in_utc_with_milliseconds() -> None:
    moment = datetime(2026, 1, 31, 13, 0, 0, 7_999, tzinfo=timezone(timedelta(hours=1)))

    assert _Times(at=moment).model_dump_json() == '{"at":"2026-01-31T12:00:00.007Z"}'
    assert ids.format_time(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"


def test_time__without_a_zone__is_refused() -> None:
    with pytest.raises(ValidationError):
        _Times.model_validate({"at": "2026-01-31T12:00:00"})


def test_partition__of_a_conversation__is_the_same_for_ever() -> None:
    assert topology.PARTITIONS == 256
    assert topology.partition_of(ID) == 117


def test_partitions__over_many_conversations__are_even() -> None:
    counts = [0] * topology.PARTITIONS
    for n in range(256_000):
        counts[topology.partition_of(f"01890a5d-ac96-774b-bcce-{n:012x}")] += 1

    assert min(counts) > 800
