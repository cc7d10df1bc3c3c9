"""What root messages say of their threads, in a room: to everybody, twice a second at most, the latest."""

import asyncio
from typing import Any

import pytest
from synctalk_gateway.hub import threads
from synctalk_gateway.hub.connection import Connection
from synctalk_testkit.eventually import eventually

from services.gateway.tests.unit.test_room import Watched, connect, member, message, socket_of


@pytest.fixture(autouse=True)
def _short_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "INTERVAL_S", 0.05)


def changed(thread_id: str, change_seq: int) -> dict[str, Any]:
    payload = {"conversation_id": "c", "thread_id": thread_id, "thread": None, "change_seq": change_seq}
    return {"event": "thread:changed", "change_seq": None, "origin": None, "user_id": "ada", "payload": payload}


def updated(user_id: str, origin: str | None = None) -> dict[str, Any]:
    payload = {"conversation_id": "c", "thread_id": "t", "following": True}
    return {"event": "thread:updated", "change_seq": None, "origin": origin, "user_id": user_id, "payload": payload}


def seen(connection: Connection) -> list[tuple[str, int]]:
    return [(each["thread_id"], each["change_seq"]) for each in socket_of(connection).of("thread:changed")]


async def test_changes_of_a_thread__the_first_comes_at_once_and_then_the_latest() -> None:
    ada, bob = connect("ada"), connect("bob")
    room = Watched(ada, bob).room

    room.sequencer.accept([changed("t", 1), changed("t", 2), changed("u", 3)])
    room.sequencer.accept([changed("t", 4)])
    at_once = seen(ada)
    await eventually(lambda: len(seen(ada)) == 3)

    assert at_once == [("t", 1), ("u", 3)]
    assert seen(ada) == seen(bob) == [("t", 1), ("u", 3), ("t", 4)]
    room.close()


async def test_change_of_a_thread__that_is_older_than_the_one_that_waits__is_dropped() -> None:
    ada = connect("ada")
    room = Watched(ada).room

    room.sequencer.accept([changed("t", 1), changed("t", 5), changed("t", 3)])
    await eventually(lambda: len(seen(ada)) == 2)

    assert seen(ada) == [("t", 1), ("t", 5)]
    room.close()


async def test_change_of_a_thread__while_a_removal_is_missing__waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "INTERVAL_S", 0)
    ada, bob = connect("ada"), connect("bob")
    room = Watched(ada, bob).room
    room.sequencer.accept([changed("t", 1)])
    room.sequencer.accept([changed("t", 2)])

    room.sequencer.accept([message(2)])
    for _ in range(3):
        await asyncio.sleep(0)  # its time has come
    while_it_is_missing = seen(ada)
    room.sequencer.accept([member(1, "bob", None)])

    await eventually(lambda: len(seen(ada)) == 2)
    assert while_it_is_missing == seen(bob) == [("t", 1)]
    room.close()


async def test_change_of_a_thread__when_delivery_was_broken__comes_to_who_is_still_there() -> None:
    ada, bob = connect("ada"), connect("bob")
    room = Watched(ada, bob).room
    room.sequencer.accept([changed("t", 1), changed("t", 2)])

    epoch = room.sequencer.pause()
    room.evict(bob)
    room.sequencer.resume(7, epoch)
    await eventually(lambda: len(seen(ada)) == 2)

    assert (seen(ada), seen(bob)) == ([("t", 1), ("t", 2)], [("t", 1)])
    room.close()


async def test_own_state_of_a_thread__goes_to_ones_other_sockets() -> None:
    ada, phone, bob = connect("ada"), connect("ada"), connect("bob")
    room = Watched(ada, phone, bob).room

    room.sequencer.accept([updated("ada", origin=ada.id)])

    assert [len(socket_of(each).of("thread:updated")) for each in (ada, phone, bob)] == [0, 1, 0]
