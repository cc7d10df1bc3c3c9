"""Changes in whatever order they come are handed on in theirs, once."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from synctalk.events import (
    ConversationAdded,
    ConversationRemoved,
    ConversationUpdated,
    HistoryReset,
    MemberChanged,
    MessageCreated,
    MessageDeleted,
    MessageUpdated,
)
from synctalk.following import MAX_BUFFERED, Change, Cursor, Following
from synctalk.models import Conversation, Message, SyncState

ROOM = "room"
AT = "2026-01-01T00:00:00.000Z"
USER = {"id": "ada", "username": "ada", "display_name": "Ada", "avatar_url": None}


def message(change_seq: int, seq: int | None = None, **fields: Any) -> Message:
    given: dict[str, Any] = {
        "id": f"m{seq or change_seq}", "conversation_id": ROOM, "seq": seq or change_seq, "change_seq": change_seq,
        "sender_id": "ada", "client_message_id": "x", "body": "hi", "created_at": AT,
    }  # fmt: skip
    return Message.model_validate(given | fields)


def conversation(change_seq: int, last_seq: int = 0) -> Conversation:
    return Conversation.model_validate(
        {
            "id": ROOM, "type": "group", "title": "Room", "peer": None, "last_seq": last_seq, "change_seq": change_seq,
            "read_seq": 0, "unread_count": 0, "role": "member", "last_message": None, "members_count": 2,
            "created_at": AT, "updated_at": AT,
        }
    )  # fmt: skip


def change(what: Message) -> Change:
    return Change(ROOM, what.change_seq, what)


def following(change_seq: int = 0, last_seq: int = 0) -> Following:
    followed = Following({})
    followed.connected({ROOM: Cursor(change_seq, last_seq)}, complete=True)
    return followed


@given(st.permutations(range(1, 9)), st.lists(st.integers(1, 8), max_size=8))
def test_take__in_any_order_and_doubled__hands_each_on_once_in_order(order: list[int], again: list[int]) -> None:
    followed = following()
    events = [event for number in [*order, *again] for event in followed.take(change(message(number)))]

    assert events == [MessageCreated(message(number)) for number in range(1, 9)]
    assert followed.cursor(ROOM) == Cursor(8, 8)


def test_take__after_a_gap__waits_for_what_is_missing() -> None:
    followed = following()

    assert followed.take(change(message(2))) == []
    assert followed.with_gaps() == [ROOM]
    assert followed.take(change(message(1))) == [MessageCreated(message(1)), MessageCreated(message(2))]
    assert followed.with_gaps() == []


def test_take__too_much_after_a_gap__is_left_to_sync() -> None:
    followed = following()
    for number in range(2, MAX_BUFFERED + 3):
        followed.take(change(message(number)))

    assert len(followed._followed[ROOM].buffered) == 1
    assert followed.with_gaps() == [ROOM]


def test_take__a_message_from_before__is_an_update() -> None:
    followed = following(change_seq=7, last_seq=5)

    assert followed.take(change(message(8, seq=3))) == [MessageUpdated(message(8, seq=3))]
    deleted = message(9, seq=4, deleted_at=AT)
    assert followed.take(change(deleted)) == [MessageDeleted(deleted)]


def test_synced__closes_the_gap_and_goes_on_with_what_was_buffered() -> None:
    followed = following(change_seq=1, last_seq=1)
    followed.take(change(message(5, seq=3)))
    edited, second = message(3, seq=1), message(2, seq=2)
    member = {"user": USER, "role": "admin", "joined_at": AT, "delivered_seq": 0, "read_seq": 0, "change_seq": 4}
    state = SyncState.model_validate(
        {"messages": [second, edited], "members": [member], "conversation": conversation(4), "change_seq": 4}
    )

    assert followed.synced(ROOM, state) == [
        MessageCreated(second),
        MessageUpdated(edited),
        MemberChanged(ROOM, "ada", "admin", 4),
        ConversationUpdated(conversation(4)),
        MessageCreated(message(5, seq=3)),
    ]
    assert followed.cursor(ROOM) == Cursor(5, 3)
    assert followed.synced(ROOM, state) == []


def test_synced__a_new_message_that_was_edited__is_created_once() -> None:
    followed = following()
    first, second = message(3, seq=1), message(2, seq=2)
    state = SyncState.model_validate({"messages": [second, first], "change_seq": 3})

    assert followed.synced(ROOM, state) == [MessageCreated(second), MessageCreated(first)]


def test_connected__again__names_what_differs_and_begins_what_was_joined_meanwhile() -> None:
    followed = following(change_seq=4)
    followed.connected({"same": Cursor(0, 0)}, complete=False)
    behind = followed.connected({ROOM: Cursor(6, 2), "new": Cursor(3, 1)}, complete=True)

    assert sorted(behind) == ["new", ROOM, "same"]
    assert followed.cursor("new") == Cursor(0, 0)
    assert followed.connected({ROOM: Cursor(4, 0)}, complete=False) == []


def test_connected__with_cursors__goes_on_from_them() -> None:
    followed = Following({ROOM: Cursor(4, 2)})

    assert followed.connected({ROOM: Cursor(6, 3)}, complete=True) == [ROOM]
    assert followed.cursor(ROOM) == Cursor(4, 2)


def test_added_and_removed__are_handed_on_once() -> None:
    followed = following()
    followed.removed(ROOM)

    assert followed.removed(ROOM) == []
    assert followed.added(conversation(3, last_seq=2)) == [ConversationAdded(conversation(3, last_seq=2))]
    assert followed.added(conversation(3)) == []
    assert followed.take(change(message(4, seq=3))) == [MessageCreated(message(4, seq=3))]
    assert followed.removed(ROOM) == [ConversationRemoved(ROOM)]
    assert followed.cursor(ROOM) is None


def test_reset__goes_on_from_there() -> None:
    followed = following()
    followed.take(change(message(12, seq=9)))

    assert followed.reset(ROOM, 11, 8) == [HistoryReset(ROOM, 11), MessageCreated(message(12, seq=9))]


def test_take__before_all_conversations_are_known__begins_with_what_comes() -> None:
    followed = Following({})

    assert followed.take(change(message(9, seq=5))) == [MessageCreated(message(9, seq=5))]


def test_take__a_pin__is_its_message_whichever_comes_first() -> None:
    pinned = message(2, 1, pinned_at=AT, pinned_by="ada")
    updated = Change(ROOM, 2, conversation(2, 1))
    for come in ([change(pinned), updated], [updated, change(pinned)]):
        followed = following()
        events = [event for each in [*come, change(message(1))] for event in followed.take(each)]

        assert events == [MessageCreated(message(1)), MessageUpdated(pinned)]
