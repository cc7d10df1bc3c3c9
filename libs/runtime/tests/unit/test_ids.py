"""Ids sort by time; times are cut to what the interface shows."""

import uuid

from synctalk_runtime.ids import new_id, utc_now


def test_new_id__many__are_version_7_and_ascending() -> None:
    ids = [new_id() for _ in range(1000)]

    assert ids == sorted(ids)
    assert {uuid.UUID(value).version for value in ids} == {7}


def test_utc_now__is_whole_milliseconds() -> None:
    assert utc_now().microsecond % 1000 == 0
    assert utc_now().tzinfo is not None
