"""A room delivers every event once, in order, to whom it concerns, whatever order they come in."""

import random
from itertools import count
from typing import Any

import orjson
import pytest
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.rooms import Room
from synctalk_gateway.protocol.wire import Encoded
from synctalk_testkit.eventually import eventually

GAP_S = 0.02
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
        self.healed: list[Room] = []
        self.gone: list[tuple[str, list[Connection]]] = []
        self.room = Room("c", GAP_S, self.healed.append, lambda _, user, left: self.gone.append((user, left)))
        for member in members:
            self.room.add(member)
        if change_seq is not None:
            self.room.start(change_seq)


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
    room.accept([message(1, origin=ada.id), message(2)])
    assert numbers(ada) == [2]
    assert numbers(bob) == [1, 2]


@pytest.mark.parametrize("seed", range(20))
async def test_accept__any_order_and_doubled__is_delivered_once_in_order(ada: Connection, seed: int) -> None:
    watched = Watched(ada)
    events = [message(n) for n in range(1, 30)] * 2
    random.Random(seed).shuffle(events)
    for event in events:
        watched.room.accept([event])
    assert numbers(ada) == list(range(1, 30))
    assert not watched.healed


async def test_accept__what_is_missing_does_not_come__asks_for_help(ada: Connection) -> None:
    watched = Watched(ada)
    watched.room.accept([message(2)])
    assert numbers(ada) == []
    await eventually(lambda: watched.healed)
    watched.room.skip_gap()
    assert numbers(ada) == [2]


async def test_start__events_came_before_the_state__drops_what_it_contained(ada: Connection) -> None:
    room = Watched(ada, change_seq=None).room
    room.accept([message(4), message(5), message(6)])
    assert numbers(ada) == []
    room.start(5)
    assert numbers(ada) == [6]


async def test_set_floor__joined_with_a_newer_state__hears_only_what_is_newer(ada: Connection, bob: Connection) -> None:
    room = Watched(ada).room
    room.add(bob)
    room.set_floor(bob, 2)
    room.accept([message(1), message(2), message(3)])
    assert numbers(ada) == [1, 2, 3]
    assert numbers(bob) == [3]


async def test_member_changed__removed__hears_so_and_nothing_after(ada: Connection, bob: Connection) -> None:
    watched = Watched(ada, bob)
    watched.room.accept([member(1, "bob", None), message(2)])
    assert socket_of(bob).written == [("conversation:removed", {"id": "c"})]
    assert [name for name, _ in socket_of(ada).written] == ["member:changed", "message:new"]
    assert watched.gone == [("bob", [bob])]


async def test_member_changed__removal_overtaken_by_a_message__nothing_leaks(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    room.accept([message(2)])
    room.accept([member(1, "bob", None)])
    assert socket_of(bob).of("message:new") == []
    assert numbers(ada) == [2]


async def test_conversation_updated__shows_each_member_their_own_view(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    views = {
        "ada": {"read_seq": 1, "unread_count": 2, "role": "owner"},
        "bob": {"read_seq": 3, "unread_count": 0, "role": "member"},
    }
    room.accept(
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


async def test_hold__events_wait_and_those_in_the_state_are_dropped(ada: Connection) -> None:
    room = Watched(ada).room
    ada.hold()
    room.accept([message(1), message(2)])
    assert socket_of(ada).written == []
    ada.release({"c": 1})
    assert numbers(ada) == [2]


async def test_hold__twice__only_the_last_release_sends(ada: Connection) -> None:
    room = Watched(ada).room
    ada.hold()
    ada.hold()
    room.accept([message(1)])
    ada.release({})
    assert numbers(ada) == []
    ada.release({})
    assert numbers(ada) == [1]


async def test_typing__is_shown_to_the_others_and_ends_by_itself(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    room.start_typing("ada", GAP_S)
    assert socket_of(bob).of("typing") == [{"conversation_id": "c", "user_id": "ada", "active": True}]
    await eventually(lambda: len(socket_of(bob).of("typing")) == 2)
    assert not socket_of(bob).of("typing")[-1]["active"]
    assert socket_of(ada).of("typing") == []


async def test_typing__ends_with_the_message(ada: Connection, bob: Connection) -> None:
    room = Watched(ada, bob).room
    room.start_typing("ada", 60)
    room.accept([message(1, origin=ada.id, sender="ada")])
    assert [name for name, _ in socket_of(bob).written] == ["typing", "typing", "message:new"]
    room.close()


async def test_close__leaves_no_timer(ada: Connection) -> None:
    room = Watched(ada, connect("dan")).room
    room.start_typing("dan", 60)
    room.accept([message(2)])
    room.close()
    assert not room.typing
