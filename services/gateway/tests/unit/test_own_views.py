"""A large group has changed: each socket gets the number at once, and then what the group is to its user."""

from typing import Any, cast

from synctalk_contracts.fanout import MemberView
from synctalk_contracts.ids import SYSTEM_USER_ID
from synctalk_contracts.internal import VIEWS_USERS_MAX, ConversationViews
from synctalk_contracts.models import Conversation, Role
from synctalk_gateway.actions import own_views
from synctalk_gateway.actions.own_views import OwnViews
from synctalk_gateway.clients.reads import StateReads
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.profiles import Profiles
from synctalk_gateway.hub.room import Room, RoomSettings
from synctalk_runtime.background import Tasks
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_testkit.eventually import eventually

from services.gateway.tests.unit.test_room import GAP_S, TYPING, connect, message, socket_of

CHANGED = {"event": "conversation:updated", "change_seq": 1, "origin": None, "user_id": "ada", "payload": {}}


class Views:
    """In place of api: what the conversation is to each of the users asked for, as of `change_seq`."""

    def __init__(self, change_seq: int = 1) -> None:
        self.change_seq = change_seq
        self.asked: list[list[str]] = []
        self.away = False
        self.moves = 0

    async def views(self, _: str, user_ids: list[str]) -> ConversationViews:
        self.asked.append(user_ids)
        if self.away:
            raise UnavailableError
        self.change_seq += self.moves
        conversation = Conversation(
            id=SYSTEM_USER_ID,
            type="group",
            title="T",
            peer=None,
            last_seq=0,
            change_seq=self.change_seq,
            read_seq=0,
            unread_count=0,
            role=Role.MEMBER,
            last_message=None,
            members_count=10_000,
            created_at=utc_now(),
            updated_at=utc_now(),
        )
        views = {
            user_id: MemberView(read_seq=n, unread_count=n, role=Role.MEMBER) for n, user_id in enumerate(user_ids)
        }
        return ConversationViews.model_construct(conversation=conversation, views=views)


class Calls:
    """The callbacks of a room whose views are read."""

    def __init__(self, api: Views) -> None:
        self.tasks = Tasks()
        self.own_views = OwnViews(cast(Any, api), StateReads(0.01), self.tasks)

    def on_gap(self, room: Room) -> None:
        raise AssertionError(room)

    def on_member_removed(self, room: Room, user_id: str, removed: list[Connection]) -> None:
        raise AssertionError(room, user_id, removed)

    def on_views_missing(self, room: Room) -> None:
        self.own_views.read_soon(room)


def room_of(api: Views, *members: Connection) -> Room:
    room = Room("c", RoomSettings(GAP_S, 60, TYPING), Calls(api), Profiles({}), lambda _: None)
    for member in members:
        room.add(member)
    room.sequencer.start(0)
    return room


async def test_change__gives_its_number_at_once_and_then_each_user_s_view() -> None:
    ada, bob = connect("ada"), connect("bob")
    room = room_of(Views(), ada, bob)

    room.sequencer.accept([CHANGED])
    at_once = list(socket_of(ada).written)
    await eventually(lambda: socket_of(bob).of("conversation:updated"))

    assert at_once == [("change:hidden", {"conversation_id": "c", "change_seq": 1})]
    for n, connection in enumerate((ada, bob)):
        (view,) = socket_of(connection).of("conversation:updated")
        assert (view["title"], view["change_seq"], view["read_seq"], view["unread_count"]) == ("T", 1, n, n)


async def test_change__without_a_number__gives_the_view_alone() -> None:
    ada = connect("ada")
    room = room_of(Views(change_seq=0), ada)

    room.sequencer.accept([CHANGED | {"change_seq": None}])
    await eventually(lambda: socket_of(ada).written)

    assert [event for event, _ in socket_of(ada).written] == ["conversation:updated"]


async def test_view__newer_than_what_was_delivered__waits_for_that() -> None:
    ada = connect("ada")
    room = room_of(api := Views(change_seq=2), ada)

    room.sequencer.accept([CHANGED])
    await eventually(lambda: api.asked)
    room.sequencer.accept([message(2)])
    await eventually(lambda: socket_of(ada).of("conversation:updated"))

    assert [event for event, _ in socket_of(ada).written] == ["change:hidden", "message:new", "conversation:updated"]


async def test_view__older_than_what_was_delivered__is_read_again() -> None:
    ada = connect("ada")
    api = Views(change_seq=0)
    api.moves = 1
    room = room_of(api, ada)

    room.sequencer.accept([CHANGED, message(2)])
    await eventually(lambda: socket_of(ada).of("conversation:updated"))

    assert [each["change_seq"] for each in socket_of(ada).of("conversation:updated")] == [2]
    assert api.asked == [["ada"]] * 2


async def test_view__always_older_than_what_was_delivered__asks_for_a_sync() -> None:
    ada = connect("ada")
    room = room_of(api := Views(change_seq=1), ada)

    room.sequencer.accept([CHANGED, message(2)])
    await eventually(lambda: socket_of(ada).of("sync:required"))

    assert api.asked == [["ada"]] * own_views.TRIES
    assert socket_of(ada).of("sync:required") == [{"conversation_ids": ["c"]}]
    assert socket_of(ada).of("conversation:updated") == []


async def test_view__while_api_is_away__asks_for_a_sync() -> None:
    ada = connect("ada")
    api = Views()
    api.away = True

    room_of(api, ada).sequencer.accept([CHANGED])
    await eventually(lambda: socket_of(ada).of("sync:required"), 5)

    assert socket_of(ada).of("conversation:updated") == []


async def test_changes__that_come_while_views_are_read__are_read_once_more() -> None:
    ada = connect("ada")
    room = room_of(api := Views(change_seq=3), ada)

    room.sequencer.accept([CHANGED | {"change_seq": number} for number in (1, 2, 3)])
    await eventually(lambda: socket_of(ada).of("conversation:updated"))
    room.sequencer.accept([CHANGED | {"change_seq": None}])
    room.sequencer.accept([CHANGED | {"change_seq": None}])
    await eventually(lambda: len(socket_of(ada).of("conversation:updated")) == 2)

    assert api.asked == [["ada"]] * 2


async def test_views__of_more_users_than_one_question_takes__are_read_in_portions() -> None:
    connections = [connect(f"u{n:03}") for n in range(VIEWS_USERS_MAX + 1)]
    room = room_of(api := Views(), *connections)

    room.sequencer.accept([CHANGED])
    await eventually(lambda: socket_of(connections[-1]).of("conversation:updated"))

    assert list(map(len, api.asked)) == [VIEWS_USERS_MAX, 1]
