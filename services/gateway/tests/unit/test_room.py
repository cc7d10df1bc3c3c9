"""A room delivers every event once, in order, to whom it concerns, whatever order they come in."""

import random
from itertools import count
from typing import Any

import orjson
import pytest
from prometheus_client import REGISTRY
from synctalk_gateway.hub.connection import Connection, Typed
from synctalk_gateway.hub.profiles import Profiles
from synctalk_gateway.hub.room import Room, RoomSettings
from synctalk_gateway.hub.typing import Place
from synctalk_gateway.protocol.wire import Encoded
from synctalk_runtime.limits import Limit
from synctalk_testkit.eventually import eventually

GAP_S = 0.02
TYPING = Limit("typing", 0.001, 3)
_numbers = count(1)


class RecordingSocket:
    """In place of an Engine.IO socket: keeps (event, payload) of what is written."""

    def __init__(self) -> None:
        self.written: list[tuple[str, Any]] = []
        self.ended = False
        self.write_frame = None

    def write(self, packet: Encoded) -> None:
        assert packet.packet[:1] == b"2"
        name, payload = orjson.loads(packet.packet[1:])
        self.written.append((name, payload))

    def of(self, event: str) -> list[Any]:
        return [payload for name, payload in self.written if name == event]


def connect(user_id: str) -> Connection:
    number = next(_numbers)
    return Connection(f"c{number}", user_id, f"s{number}", 0.0, RecordingSocket())  # type: ignore[arg-type]


@pytest.fixture
def ada() -> Connection:
    return connect("ada")


@pytest.fixture
def bob() -> Connection:
    return connect("bob")


def socket_of(connection: Connection) -> RecordingSocket:
    assert isinstance(connection.socket, RecordingSocket)
    return connection.socket


class Watched:
    """A room whose calls for help are kept."""

    def __init__(self, *members: Connection, change_seq: int | None = 0) -> None:
        self.gaps: list[Room] = []
        self.gone: list[tuple[str, list[Connection]]] = []
        self.emptied: list[Room] = []
        self.changed: list[Room] = []
        settings = RoomSettings(GAP_S, 60, TYPING)
        self.room = Room("c", settings, self, Profiles({}), self.emptied.append)
        for member in members:
            self.room.add(member)
        if change_seq is not None:
            self.room.sequencer.start(change_seq)

    def on_gap(self, room: Room) -> None:
        self.gaps.append(room)

    def on_member_removed(self, _: Room, user_id: str, removed: list[Connection]) -> None:
        self.gone.append((user_id, removed))

    def on_views_missing(self, room: Room) -> None:
        self.changed.append(room)


def message(number: int, origin: str | None = None, sender: str = "carol") -> dict[str, Any]:
    payload = {"seq": number, "change_seq": number, "sender_id": sender}
    return {
        "event": "message:new",
        "change_seq": number,
        "origin": origin,
        "user_id": sender,
        "payload": payload,
        "views": None,
    }


def member(number: int, user_id: str, role: str | None) -> dict[str, Any]:
    payload = {"conversation_id": "c", "user_id": user_id, "role": role, "change_seq": number}
    return {
        "event": "member:changed",
        "change_seq": number,
        "origin": None,
        "user_id": user_id,
        "payload": payload,
        "views": None,
    }


def numbers(connection: Connection) -> list[int]:
    return [payload["change_seq"] for payload in socket_of(connection).of("message:new")]


async def test_accept__in_order__reaches_everybody_but_the_origin(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    room.sequencer.accept([message(1, origin=ada.id), message(2)])
    assert numbers(ada) == [2]
    assert numbers(bob) == [1, 2]


@pytest.mark.parametrize("seed", range(20))
async def test_accept__any_order_and_doubled__is_delivered_once_in_order(ada: Connection, seed: int) -> None:
    watched = Watched(ada)
    events = [message(n) for n in range(1, 30)] * 2
    random.Random(seed).shuffle(events)
    for event in events:
        watched.room.sequencer.accept([event])
    assert numbers(ada) == list(range(1, 30))
    assert not watched.gaps


async def test_accept__what_is_missing_does_not_come__asks_for_help(ada: Connection) -> None:
    watched = Watched(ada)
    watched.room.sequencer.accept([message(2)])
    assert numbers(ada) == []
    await eventually(lambda: watched.gaps)
    watched.room.sequencer.resume(1, watched.room.sequencer.pause())
    watched.room.sequencer.accept([message(2)])
    assert numbers(ada) == [2]


async def test_start__events_came_before_the_state__drops_what_it_contained(ada: Connection) -> None:
    room = Watched(ada, change_seq=None).room
    room.sequencer.accept([message(4), message(5), message(6)])
    assert numbers(ada) == []
    room.sequencer.start(5)
    assert numbers(ada) == [6]


async def test_set_state_read__newer_than_the_room__gets_only_what_is_newer(ada: Connection, bob: Connection) -> None:
    room = Watched(ada).room
    room.add(bob)
    room.note_state(bob, 2)
    room.sequencer.accept([message(1), message(2), message(3)])
    assert numbers(ada) == [1, 2, 3]
    assert numbers(bob) == [3]


async def test_member_changed__removed__gets_the_removal_and_nothing_after(ada: Connection, bob: Connection) -> None:
    watched = Watched(ada, bob)
    watched.room.sequencer.accept([member(1, "bob", None), message(2)])
    assert socket_of(bob).written == [("conversation:removed", {"id": "c"})]
    assert [name for name, _ in socket_of(ada).written] == ["member:changed", "message:new"]
    assert watched.gone == [("bob", [bob])]


async def test_member_changed__removal_overtaken_by_a_message__nothing_leaks(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    room.sequencer.accept([message(2)])
    room.sequencer.accept([member(1, "bob", None)])
    assert socket_of(bob).of("message:new") == []
    assert numbers(ada) == [2]


async def test_conversation_updated__shows_each_member_their_own_view(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    views = {
        "ada": {"read_seq": 1, "unread_count": 2, "role": "owner"},
        "bob": {"read_seq": 3, "unread_count": 0, "role": "member"},
    }
    room.sequencer.accept(
        [
            {
                "event": "conversation:updated",
                "change_seq": 1,
                "user_id": "ada",
                "payload": {"title": "T"},
                "views": views,
            }
        ]
    )
    assert socket_of(ada).of("conversation:updated") == [{"title": "T"} | views["ada"]]
    assert socket_of(bob).of("conversation:updated") == [{"title": "T"} | views["bob"]]


async def test_ephemeral_message__is_for_all_who_are_there__in_no_order(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    payload = {"id": "e", "conversation_id": "c", "sender_id": "ada", "body": "hello"}
    event = {"event": "message:ephemeral", "change_seq": None, "user_id": "ada", "payload": payload}

    room.sequencer.accept([event, message(1), event])
    room.sequencer.accept([member(2, "bob", None), event])

    assert socket_of(ada).of("message:ephemeral") == [payload] * 3
    assert socket_of(bob).of("message:ephemeral") == [payload] * 2


async def test_conversation_updated__without_a_number__is_for_those_who_have_a_view(
    ada: Connection, bob: Connection
) -> None:
    room = Watched(ada, bob).room
    event = {"event": "conversation:updated", "change_seq": None, "user_id": "ada", "payload": {"title": "T"}}

    room.sequencer.accept([message(1), event | {"views": {"ada": {"me": {"mention_count": 1}}}}, message(2)])

    assert socket_of(ada).of("conversation:updated") == [{"title": "T", "me": {"mention_count": 1}}]
    assert socket_of(bob).of("conversation:updated") == []
    assert numbers(ada) == numbers(bob) == [1, 2]


async def test_pause__events_wait_and_those_in_the_state_are_dropped(ada: Connection) -> None:
    room = Watched(ada).room
    ada.pause()
    room.sequencer.accept([message(1), message(2)])
    assert socket_of(ada).written == []
    ada.resume({"c": 1})
    assert numbers(ada) == [2]


async def test_pause__twice__only_the_last_resume_sends(ada: Connection) -> None:
    room = Watched(ada).room
    ada.pause()
    ada.pause()
    room.sequencer.accept([message(1)])
    ada.resume({})
    assert numbers(ada) == []
    ada.resume({})
    assert numbers(ada) == [1]


def typing(connection: Connection) -> list[bool]:
    return [payload["active"] for payload in socket_of(connection).of("typing")]


async def test_typing__is_shown_to_the_others_and_ends_by_itself(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    room.typing.start(Place("ada"), "tab", GAP_S)
    assert socket_of(bob).of("typing") == [{"conversation_id": "c", "user_id": "ada", "active": True}]
    await eventually(lambda: typing(bob) == [True, False])
    assert typing(ada) == []


async def test_typing__on_two_sockets__ends_with_the_last(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    room.typing.start(Place("ada"), "tab", 60)
    room.typing.start(Place("ada"), "phone", 60)
    room.typing.stop(Place("ada"), "tab")
    assert typing(bob) == [True, True]
    room.typing.stop(Place("ada"), "phone")
    assert typing(bob) == [True, True, False]


async def test_typing__in_a_thread_and_beside_it__are_two_places(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    room.typing.start(Place("ada"), "tab", 60)
    room.typing.start(Place("ada", "thread"), "phone", 60)
    room.typing.stop(Place("ada"), "tab")
    in_thread = {"conversation_id": "c", "user_id": "ada", "thread_id": "thread"}
    assert socket_of(bob).of("typing")[1:] == [
        {**in_thread, "active": True},
        {"conversation_id": "c", "user_id": "ada", "active": False},
    ]
    room.sequencer.accept([message(1, sender="ada")])  # by REST: it ends everywhere
    assert socket_of(bob).of("typing")[-1] == {**in_thread, "active": False}


async def test_typing__a_message_by_rest__ends_it_on_all_sockets(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    ada.typing["c"] = Typed(None, 1.0)
    room.typing.start(Place("ada"), ada.id, 60)
    room.typing.start(Place("ada"), "phone", 60)
    room.sequencer.accept([message(1, sender="ada")])
    assert [name for name, _ in socket_of(bob).written] == ["typing", "typing", "typing", "message:new"]
    assert typing(bob)[-1] is False
    assert ada.typing == {}  # what it types next is published at once


async def test_typing__a_message_of_one_socket__leaves_the_other_typing(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    room.typing.start(Place("ada"), "phone", 60)
    room.sequencer.accept([message(1, origin=ada.id, sender="ada")])
    assert typing(bob) == [True]
    room.close()


async def test_typing__a_removed_member__types_no_longer(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    room.typing.start(Place("ada"), "tab", 60)
    room.sequencer.accept([member(1, "ada", None)])
    assert typing(bob) == [True, False]


async def test_typing__more_than_the_limit__is_not_shown_and_not_ended(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    for number in range(5):
        room.typing.start(Place(f"user{number}"), "tab", 60)
    for number in range(5):
        room.typing.stop(Place(f"user{number}"), "tab")
    assert typing(bob) == [True] * 3 + [False] * 3


async def test_typing__room_paused__is_shown_when_it_goes_on(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    room.typing.start(Place("ada"), "tab", 60)
    epoch = room.sequencer.pause()
    room.typing.stop(Place("ada"), "tab")
    room.typing.start(Place("carol"), "tab", 60)
    assert typing(bob) == [True]
    room.sequencer.resume(1, epoch)
    assert typing(bob) == [True, False]
    room.close()


async def test_receipt__while_something_is_missing__waits_for_it(ada: Connection) -> None:
    room = Watched(ada).room
    receipt = {"event": "receipt:updated", "user_id": "bob", "origin": None, "payload": {"read_seq": 1}}
    room.sequencer.accept([message(2)])
    room.sequencer.accept([receipt])
    assert socket_of(ada).written == []
    room.sequencer.accept([message(1)])
    assert [name for name, _ in socket_of(ada).written] == ["message:new", "message:new", "receipt:updated"]


async def test_receipt__while_paused__is_dropped(ada: Connection) -> None:
    room = Watched(ada).room
    epoch = room.sequencer.pause()
    room.sequencer.accept([{"event": "receipt:updated", "user_id": "bob", "origin": None, "payload": {}}])
    room.sequencer.resume(0, epoch)
    assert socket_of(ada).written == []


async def test_pause__more_than_can_wait__keeps_the_latest(ada: Connection) -> None:
    room = Watched(ada, change_seq=None).room
    room.sequencer.accept([message(number) for number in range(1, 3_000)])
    room.sequencer.start(2_990)
    assert numbers(ada) == list(range(2_991, 3_000))


async def test_close__leaves_no_timer(ada: Connection) -> None:
    room = Watched(ada, connect("dan")).room
    room.typing.start(Place("dan"), "tab", 60)
    room.sequencer.accept([message(2)])
    room.close()
    assert "dan" not in room.typing


async def test_receipt__reaches_everybody_but_the_origin(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    receipt = {"event": "receipt:updated", "origin": ada.id, "user_id": "ada", "payload": {"read_seq": 3}}
    room.sequencer.accept([receipt])
    assert socket_of(ada).written == []
    assert socket_of(bob).written == [("receipt:updated", {"read_seq": 3})]


async def test_delta__reaches_everybody_but_the_origin_and_waits_for_what_came_before(
    ada: Connection, bob: Connection
) -> None:
    room = Watched(ada, bob).room
    delta = {"event": "message:delta", "origin": ada.id, "user_id": "ada", "payload": {"at": 0, "text": "so"}}
    room.sequencer.accept([message(2), delta])
    assert socket_of(bob).written == []
    room.sequencer.accept([message(1)])
    assert [name for name, _ in socket_of(bob).written] == ["message:new", "message:new", "message:delta"]
    assert [name for name, _ in socket_of(ada).written] == ["message:new", "message:new"]


@pytest.mark.parametrize("kind", ["message:new", "message:updated", "message:deleted"])
async def test_message__of_each_kind__reaches_everybody_but_the_origin(
    ada: Connection, bob: Connection, kind: str
) -> None:
    room = Watched(ada, bob).room
    room.sequencer.accept([message(1, origin=ada.id) | {"event": kind}])
    assert socket_of(ada).written == []
    assert [name for name, _ in socket_of(bob).written] == [kind]


async def test_delivered__counts_the_sockets_that_an_event_was_for(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    before = REGISTRY.get_sample_value("gateway_delivered_total") or 0
    events = [
        (message(1, origin=ada.id), 1),
        ({"event": "receipt:updated", "origin": None, "user_id": "ada", "payload": {}}, 2),
        (member(2, "cy", "member"), 2),
        (message(3) | {"event": "conversation:updated", "views": {"bob": {}}}, 1),
        (message(4) | {"event": "of a later version"}, 0),
    ]
    for event, delivered in events:
        room.sequencer.accept([event])
        now = REGISTRY.get_sample_value("gateway_delivered_total") or 0
        assert (event["event"], now - before) == (event["event"], delivered)
        before = now


async def test_conversation_removed__everybody_gets_the_removal_and_nothing_after(
    ada: Connection, bob: Connection
) -> None:
    watched = Watched(ada, bob)
    removal = message(2) | {"event": "conversation:removed", "payload": {"id": "c"}}
    watched.room.sequencer.accept([removal, message(3)])
    watched.room.sequencer.accept([message(1)])

    for connection in (ada, bob):
        assert [name for name, _ in socket_of(connection).written] == ["message:new", "conversation:removed"]
        assert "c" not in connection.rooms
    assert not watched.room.connections


def replaced(number: int, guest: str, user_id: str, role: str | None) -> dict[str, Any]:
    payload = {"replaced_id": guest, "user_id": user_id, "role": role, "muted_until": None}
    return {
        "event": "member:replaced",
        "change_seq": number,
        "origin": None,
        "user_id": user_id,
        "payload": payload,
        "views": None,
    }


async def test_member_replaced__both_are_changed_with_one_number_and_everybody_syncs(
    ada: Connection, bob: Connection
) -> None:
    guest = connect("guest")
    watched = Watched(ada, bob, guest)

    watched.room.sequencer.accept([replaced(1, "guest", "bob", "admin"), message(2)])

    change = {"conversation_id": "c", "change_seq": 1, "muted_until": None}
    for connection in (ada, bob):
        assert socket_of(connection).written[:3] == [
            ("sync:required", {"conversation_ids": ["c"]}),
            ("member:changed", {**change, "user_id": "guest", "role": None}),
            ("member:changed", {**change, "user_id": "bob", "role": "admin"}),
        ]
        assert numbers(connection) == [2]
    assert socket_of(guest).written == [("conversation:removed", {"id": "c"})]
    assert watched.gone == [("guest", [guest])]


async def test_member_replaced__in_a_group_that_the_guest_had_left__makes_nobody_a_member(ada: Connection) -> None:
    watched = Watched(ada)

    watched.room.sequencer.accept([replaced(1, "guest", "bob", None)])

    assert [event["user_id"] for event in socket_of(ada).of("member:changed")] == ["guest"]
    assert socket_of(ada).of("sync:required") == [{"conversation_ids": ["c"]}]


async def test_member_replaced__that_a_socket_has_read_already__is_not_repeated(ada: Connection) -> None:
    watched = Watched(ada)
    watched.room.note_state(ada, 1)

    watched.room.sequencer.accept([replaced(1, "guest", "bob", "member")])

    assert socket_of(ada).of("member:changed") == []


async def test_change__that_is_hidden_from_a_member__is_a_number_for_them(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room

    room.sequencer.accept([{**message(1), "event": "message:updated", "hidden_from": ["bob"]}, message(2)])

    assert [name for name, _ in socket_of(ada).written] == ["message:updated", "message:new"]
    assert socket_of(bob).written[0] == ("change:hidden", {"conversation_id": "c", "change_seq": 1})
    assert numbers(bob) == [2]


async def test_change_of_a_thread__that_is_hidden_from_a_member__is_not_sent_to_them(
    ada: Connection, bob: Connection
) -> None:
    room = Watched(ada, bob).room
    changed = {"conversation_id": "c", "thread_id": "t", "thread": None, "change_seq": 1}

    room.sequencer.accept(
        [{"event": "thread:changed", "change_seq": None, "user_id": "ada", "payload": changed, "hidden_from": ["bob"]}]
    )

    assert (len(socket_of(ada).written), socket_of(bob).written) == (1, [])
    room.close()
