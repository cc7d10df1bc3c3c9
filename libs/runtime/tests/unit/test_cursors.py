"""A cursor that was not given out is refused, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from synctalk_contracts.ids import Id, Seq
from synctalk_runtime import cursors
from synctalk_runtime.errors import BadCursorError

POSITION = TypeAdapter(tuple[Seq, Id])
ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def test_cursor__given_back__is_the_position() -> None:
    assert cursors.decode(cursors.encode([7, ID]), POSITION) == (7, ID)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "====", "é", "\ud800", "a\0", "A" * 5000, cursors.encode([7]), cursors.encode([ID, 7]),
     cursors.encode({"a": 1}), cursors.encode([-1, ID]), cursors.encode([7, "x"]), cursors.encode([2**63, ID])],
)  # fmt: skip
def test_cursor__of_another_kind__is_a_bad_cursor(cursor: str) -> None:
    with pytest.raises(BadCursorError):
        cursors.decode(cursor, POSITION)


@given(st.text(max_size=60))
def test_cursor__any_text__is_a_position_or_a_bad_cursor(text: str) -> None:
    try:
        cursors.decode(text, POSITION)
    except BadCursorError:
        return
