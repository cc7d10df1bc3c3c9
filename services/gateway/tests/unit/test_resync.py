"""After broken delivery nobody gets what was written after they were removed, and no socket is left silent."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from synctalk_gateway.actions import resync
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import World

Message = Callable[..., dict[str, Any]]


async def test_gap__hides_a_removal__nothing_written_after_it_reaches_the_removed(
    world: "World", message: Message
) -> None:
    ada, bob = world.connect("ada", "c"), world.connect("bob", "c")
    world.api.members["c"] = {"ada"}  # change 1, whose publish was lost
    world.publish("c", message(2))
    world.publish("c", {"event": "receipt:updated", "user_id": "ada", "payload": {}, "origin": None})
    await eventually(lambda: world.room("c").sequencer.change_seq == 2)
    world.publish("c", message(3))

    assert world.written(bob) == [("conversation:removed", {"id": "c"})]
    assert world.socket(ada).of("sync:required") == [{"conversation_ids": ["c"]}]
    assert world.numbers(ada) == [3]


async def test_gap__while_api_is_away__nothing_is_delivered_and_the_sockets_are_closed(
    world: "World", message: Message
) -> None:
    ada, bob = world.connect("ada", "c"), world.connect("bob", "c")
    world.api.error = UnavailableError()
    world.publish("c", message(2))
    await eventually(lambda: world.room("c").sequencer.paused)
    world.publish("c", message(3), {"event": "receipt:updated", "user_id": "ada", "payload": {}, "origin": None})
    await eventually(lambda: world.socket(bob).ended)

    assert world.written(ada) == world.written(bob) == []
    assert world.socket(ada).ended


async def test_gap__api_comes_back_in_time__goes_on(make_world: Callable[..., "World"], message: Message) -> None:
    world = make_world(resync_timeout_s=30)
    ada = world.connect("ada", "c")
    world.api.error = UnavailableError()
    world.publish("c", message(2))
    await eventually(lambda: "room" in world.api.asked)
    world.api.error = None
    await eventually(lambda: world.room("c").sequencer.change_seq == 2)

    assert world.socket(ada).of("sync:required") == [{"conversation_ids": ["c"]}]
    assert not world.socket(ada).ended


async def test_gap__api_answers_oddly__closes_the_sockets(world: "World", message: Message) -> None:
    ada = world.connect("ada", "c")
    world.api.error = KeyError("change_seq")
    world.publish("c", message(2))

    await eventually(lambda: world.socket(ada).ended)


async def test_gap__a_socket_that_joins_meanwhile__does_not_let_the_room_go_on(
    world: "World", message: Message
) -> None:
    bob = world.connect("bob", "c")
    room = world.room("c")
    epoch = room.sequencer.pause()
    ada = world.connect("ada", "c")
    room.note_state(ada, 7)
    world.publish("c", message(8))

    assert world.numbers(bob) == world.numbers(ada) == []
    assert room.sequencer.resume(6, epoch)
    world.publish("c", message(7))
    assert world.numbers(bob) == [7, 8]
    assert world.numbers(ada) == [8]


async def test_resume__after_another_pause__is_left_to_who_paused_last(world: "World") -> None:
    world.connect("ada", "c")
    room = world.room("c")
    first, second = room.sequencer.pause(), room.sequencer.pause()

    assert not room.sequencer.resume(5, first)
    assert room.sequencer.resume(5, second)


async def test_evicted__what_others_may_know_of_them__is_asked_again(world: "World", message: Message) -> None:
    ada, _ = world.connect("ada", "c"), world.connect("bob", "c")
    ada.watching.add("bob")
    world.api.members["c"] = {"ada"}
    world.publish("c", message(2))

    await eventually(lambda: ("ada", ["bob"]) in world.presence.asked)


async def test_resync_all__puts_everybody_in_place_and_goes_on(world: "World", message: Message) -> None:
    ada, bob = world.connect("ada", "c", "d"), world.connect("bob", "c")
    world.api.members |= {"c": {"ada"}, "e": {"ada"}}
    world.api.change_seqs |= {"c": 4, "e": 2}
    await world.resync.resync_all()
    world.publish("c", message(5))
    world.publish("e", message(3))

    assert world.written(bob) == [
        ("conversation:removed", {"id": "c"}),
        ("sync:required", {"conversation_ids": None}),
    ]
    assert [name for name, _ in world.written(ada)] == [
        "conversation:new",
        "sync:required",
        "message:new",
        "message:new",
    ]


async def test_resync_all__one_user_is_removed_after_their_state_was_read__gets_nothing_written_after(
    world: "World", message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = world.connect("ada", "c"), world.connect("bob", "c")
    ask = world.api.conversations

    async def removed_in_between(user_id: str, limit: int) -> Any:
        if user_id == "ada":
            await eventually(lambda: "bob read" in world.api.asked)
        answer = await ask(user_id, limit)
        if user_id == "bob":
            world.api.members["c"] = {"ada"}
            gone = {"conversation_id": "c", "user_id": "bob", "role": None, "change_seq": 1}
            world.publish("c", {"event": "member:changed", "user_id": "ada", "change_seq": 1, "payload": gone})
            world.publish("c", message(2))
            world.api.asked.append("bob read")
        return answer

    monkeypatch.setattr(world.api, "conversations", removed_in_between)
    await world.resync.resync_all()

    assert world.socket(bob).of("message:new") == []
    assert world.socket(bob).of("conversation:removed") == [{"id": "c"}]
    assert world.numbers(ada) == [2]


@pytest.mark.parametrize("error", [NotFoundError(), KeyError("items"), UnavailableError()])
async def test_resync_all__one_user_fails__is_disconnected_and_the_others_go_on(
    world: "World", message: Message, error: Exception
) -> None:
    ada, bob = world.connect("ada", "c"), world.connect("bob", "c", "d")
    world.api.error, world.api.fails_for = error, "bob"
    await world.resync.resync_all()
    world.publish("c", message(1))

    assert world.socket(bob).ended
    assert not world.socket(ada).ended
    assert world.numbers(ada) == [1]


async def test_resync_all__everything_fails__closes_all(world: "World") -> None:
    connections = [world.connect(f"user{n}", "c") for n in range(50)]
    world.api.error = UnavailableError()
    await world.resync.resync_all()

    assert all(world.socket(connection).ended for connection in connections)


async def test_resync_all__breaks_itself__closes_all(world: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    ada = world.connect("ada", "c")
    monkeypatch.setattr(resync, "_resume", None)
    await world.resync.resync_all()

    assert world.socket(ada).ended


async def test_resync_all__more_conversations_than_were_listed__asks_for_each_room(
    make_world: Callable[..., "World"], message: Message
) -> None:
    world = make_world(ready_conversations=1)
    ada = world.connect("ada", "c", "d", "e")
    world.api.members["e"] = {"bob"}
    await world.resync.resync_all()
    await eventually(lambda: not world.room("d").sequencer.paused and "e" not in world.registry.rooms)
    world.publish("d", message(1))

    assert world.socket(ada).of("conversation:removed") == [{"id": "e"}]
    assert world.numbers(ada) == [1]


async def test_resync_all__a_socket_that_is_being_let_in__comes_back(world: "World") -> None:
    ada = world.connect("ada", "c", ready=False)
    await world.resync.resync_all()

    assert world.socket(ada).ended


async def test_delivery__fails_halfway__the_room_is_resynced(
    world: "World", message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = world.connect("ada", "c")
    broken = message(1) | {"event": "member:changed", "payload": {}}
    world.publish("c", broken)
    await eventually(lambda: world.socket(ada).of("sync:required"))
    world.publish("c", message(2))

    assert world.numbers(ada) == [2]


async def test_feed__what_cannot_be_read__is_dropped(world: "World", message: Message) -> None:
    ada = world.connect("ada", "c")
    for data in (b"{", b"[]", b"7", b'{"events": []}', b'{"events": [7]}', b"{}"):
        world.receive("conversation:c", data)
        world.receive("user:ada", data)
    await eventually(lambda: not world.room("c").sequencer.paused)
    world.receive("conversation:c", orjson.dumps({"events": [message(1)]}))

    assert world.numbers(ada) == [1]
