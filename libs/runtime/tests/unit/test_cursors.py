"""A cursor that was not given out is refused, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from synctalk_contracts.ids import Id, Seq
from synctalk_runtime import cursors
from synctalk_runtime.errors import BadCursorError

CURSOR = TypeAdapter(tuple[str, tuple[str | None, int | None], tuple[Seq, Id]])
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
NOTHING = (None, None)


def of_things(asked: tuple[str | None, int | None], position: object) -> str:
    return cursors.encode("things", asked, position)


@pytest.mark.parametrize("beside", [NOTHING, ("blue", None), (None, 3), ("blue", 3)])
def test_cursor__alone_or_beside_the_same__is_what_was_asked_and_the_position(
    beside: tuple[str | None, int | None],
) -> None:
    assert cursors.decode(of_things(("blue", 3), [7, ID]), "things", beside, CURSOR) == (("blue", 3), (7, ID))


@pytest.mark.parametrize("beside", [("red", None), (None, 4), ("blue", 4)])
def test_cursor__beside_other_parameters__is_a_bad_cursor(beside: tuple[str | None, int | None]) -> None:
    with pytest.raises(BadCursorError):
        cursors.decode(of_things(("blue", 3), [7, ID]), "things", beside, CURSOR)


def test_cursor__beside_a_parameter_that_was_not_asked__is_a_bad_cursor() -> None:
    with pytest.raises(BadCursorError):
        cursors.decode(of_things((None, 3), [7, ID]), "things", ("blue", 3), CURSOR)


def test_cursor__of_another_list__is_a_bad_cursor() -> None:
    with pytest.raises(BadCursorError):
        cursors.decode(of_things(("blue", 3), [7, ID]), "others", NOTHING, CURSOR)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "====", "é", "\ud800", "a\0", "A" * 5000, of_things(NOTHING, [7]), of_things(NOTHING, [ID, 7]),
     of_things(NOTHING, {"a": 1}), of_things(NOTHING, [-1, ID]), of_things(NOTHING, [7, "x"]),
     of_things(NOTHING, [2**63, ID]), cursors.encode("things", (), [7, ID]),
     cursors.encode("things", (1, 2), [7, ID])],
)  # fmt: skip
def test_cursor__of_another_kind__is_a_bad_cursor(cursor: str) -> None:
    with pytest.raises(BadCursorError):
        cursors.decode(cursor, "things", NOTHING, CURSOR)


@given(st.text(max_size=60))
def test_cursor__any_text__is_a_position_or_a_bad_cursor(text: str) -> None:
    try:
        cursors.decode(text, "things", NOTHING, CURSOR)
    except BadCursorError:
        return
