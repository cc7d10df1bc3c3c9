"""Receipts in a room of many sockets: the latest of each user, so many packets a second, and one's own at once."""

from typing import Any

import orjson
import pytest
from synctalk_gateway.hub import receipts, room
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.profiles import Profiles
from synctalk_gateway.hub.room import Room
from synctalk_testkit.eventually import eventually

from services.gateway.tests.unit.test_room import Watched, connect, message, socket_of


@pytest.fixture(autouse=True)
def _many_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "RECEIPTS_AT_ONCE", 2)
    monkeypatch.setattr(receipts, "INTERVAL_S", 0.02)


def receipt(user_id: str, read_seq: int, origin: str | None = None) -> dict[str, Any]:
    payload = {"user_id": user_id, "read_seq": read_seq}
    return {"event": "receipt:updated", "origin": origin, "user_id": user_id, "payload": payload}


def seen(connection: Connection) -> list[tuple[str, int]]:
    return [(each["user_id"], each["read_seq"]) for each in socket_of(connection).of("receipt:updated")]


async def test_receipts__among_many_sockets__are_the_latest_of_each_user() -> None:
    ada, bob, eve = connect("ada"), connect("bob"), connect("eve")
    of = Watched(ada, bob, eve).room

    of.sequencer.accept([receipt("ada", 1), receipt("bob", 1), receipt("ada", 2)])
    at_once = seen(eve)
    await eventually(lambda: len(seen(eve)) == 2)

    assert at_once == []
    assert seen(eve) == [("ada", 2), ("bob", 1)]
    assert seen(ada) == [("bob", 1)]
    of.close()


async def test_receipt__among_many_sockets__is_at_once_with_its_user_s_other_sockets() -> None:
    phone, laptop, bob = connect("ada"), connect("ada"), connect("bob")
    watched = Watched()
    of = Room("c", watched.room._settings, watched, Profiles({"ada": {phone, laptop}}), watched.emptied.append)
    for each in (phone, laptop, bob):
        of.add(each)
    of.sequencer.start(0)

    of.sequencer.accept([receipt("ada", 1, origin=phone.id)])
    at_once = seen(phone), seen(laptop), seen(bob)
    await eventually(lambda: seen(bob) == [("ada", 1)])

    assert at_once == ([], [("ada", 1)], [])
    assert seen(phone) == []
    of.close()


async def test_receipts__of_more_users_than_a_moment_allows__come_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "PACKETS_PER_S", 6 / receipts.INTERVAL_S)
    sockets = [connect(f"u{n}") for n in range(3)]
    of = Watched(*sockets).room
    most = 0
    sent = of._send_receipts

    def counted(events: Any) -> None:
        nonlocal most
        most = max(most, len(events))
        sent(events)

    monkeypatch.setattr(Room, "_send_receipts", lambda _, events: counted(events))
    users = [f"v{n}" for n in range(7)]

    of.sequencer.accept([receipt(user_id, 1) for user_id in users])
    of.sequencer.accept([receipt("v6", 2)])
    await eventually(lambda: len(seen(sockets[0])) == 7)

    assert seen(sockets[0]) == seen(sockets[2]) == [*((user_id, 1) for user_id in users[:-1]), ("v6", 2)]
    assert most == 2
    of.close()


async def test_receipts__to_a_websocket__leave_in_one_write() -> None:
    ada, bob, eve = connect("ada"), connect("bob"), connect("eve")
    written: list[bytes] = []
    socket_of(eve).write_frame = written.append  # type: ignore[assignment]
    of = Watched(ada, bob, eve).room

    of.sequencer.accept([receipt("ada", 1), receipt("bob", 2)])
    await eventually(lambda: written)

    (frames,) = written
    texts = []
    while frames:
        size = frames[1]
        texts.append(orjson.loads(frames[4 : 2 + size]))
        frames = frames[2 + size :]
    assert texts == [["receipt:updated", {"user_id": u, "read_seq": s}] for u, s in (("ada", 1), ("bob", 2))]
    of.close()


async def test_receipts__while_a_removal_is_missing__wait_for_it() -> None:
    ada, bob, eve = connect("ada"), connect("bob"), connect("eve")
    of = Watched(ada, bob, eve).room

    of.sequencer.accept([receipt("ada", 1), message(2)])
    assert of._receipts is not None
    assert of._receipts._timer is None
    of.sequencer.accept([message(1)])
    await eventually(lambda: seen(eve) == [("ada", 1)])
    of.close()
