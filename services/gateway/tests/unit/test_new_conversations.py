"""New conversations: one user's are joined together, and their sockets are never left waiting."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from synctalk_gateway.actions import new_conversations
from synctalk_gateway.actions.subscribing import SUBSCRIBE_TIMEOUT_S
from synctalk_runtime.errors import UnavailableError
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import Clock, World

Message = Callable[..., dict[str, Any]]


def begin(world: "World", conversation_id: str, user_id: str, change_seq: int = 1) -> None:
    """Make a conversation of that user, and publish it on the user's channel."""
    world.api.members.setdefault(conversation_id, set()).add(user_id)
    world.api.change_seqs[conversation_id] = change_seq
    conversation = {"id": conversation_id, "title": None, "last_seq": 0, "change_seq": change_seq}
    event = {"event": "conversation:new", "conversation": conversation}
    world.receive(f"user:{user_id}", orjson.dumps(event))


async def test_new_conversation__is_sent_and_then_what_comes(world: "World", message: Message) -> None:
    ada, beside = world.connect("ada"), world.connect("ada")
    begin(world, "c", "ada")
    await eventually(lambda: ada.buffer is None and "c" in ada.rooms)
    world.publish("c", message(2))

    for connection in (ada, beside):
        assert [name for name, _ in world.written(connection)] == ["conversation:new", "message:new"]


async def test_new_conversation__many_at_once__are_asked_for_together(world: "World") -> None:
    ada = world.connect("ada")
    for number in range(250):
        begin(world, f"c{number}", "ada")
    await eventually(lambda: len(ada.rooms) == 250 and ada.buffer is None)

    assert world.api.asked.count("sync") <= 4
    assert len(world.socket(ada).of("conversation:new")) == 250
    assert not world.socket(ada).ended


async def test_new_conversation__the_same_twice__is_sent_once(world: "World") -> None:
    ada = world.connect("ada")
    begin(world, "c", "ada")
    begin(world, "c", "ada")
    await eventually(lambda: "c" in ada.rooms and ada.buffer is None)

    assert len(world.socket(ada).of("conversation:new")) == 1


async def test_new_conversation__more_than_can_wait__are_found_by_looking(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_conversations, "MAX_QUEUED", 3)
    ada = world.connect("ada")
    for number in range(5):
        begin(world, f"c{number}", "ada")
    await eventually(lambda: len(ada.rooms) == 3)

    assert ada.partial


async def test_new_conversation__api_is_away__is_asked_to_sync(world: "World") -> None:
    ada = world.connect("ada")
    world.api.error = UnavailableError()
    begin(world, "c", "ada")
    await eventually(lambda: world.written(ada))

    assert [name for name, _ in world.written(ada)] == ["conversation:new", "sync:required"]
    assert "c" in ada.rooms


async def test_new_conversation__api_answers_oddly__closes_the_sockets(world: "World") -> None:
    ada, bob = world.connect("ada"), world.connect("bob")
    world.api.error = KeyError("conversations")
    begin(world, "c", "ada")
    await eventually(lambda: world.socket(ada).ended)

    assert not world.socket(bob).ended


def leave_and_return(world: "World", conversation_id: str, user_id: str) -> None:
    """Publish in the room that this user was removed, and added again."""
    gone = {"conversation_id": conversation_id, "user_id": user_id, "role": None, "change_seq": 1}
    back = gone | {"role": "member", "change_seq": 2}
    for number, payload in enumerate((gone, back), 1):
        event = {"event": "member:changed", "user_id": "ada", "change_seq": number, "payload": payload}
        world.publish(conversation_id, event)


async def test_new_conversation__removed_and_added_again__gets_the_removal_first(
    world: "World", message: Message
) -> None:
    ada, bob = world.connect("ada", "c"), world.connect("bob", "c")
    begin(world, "c", "bob", change_seq=2)
    await asyncio.sleep(0)
    leave_and_return(world, "c", "bob")
    await eventually(lambda: world.socket(bob).of("conversation:new"))
    world.publish("c", message(3))

    assert [name for name, _ in world.written(bob)] == ["conversation:removed", "conversation:new", "message:new"]
    assert world.numbers(ada) == [3]


async def test_new_conversation__removal_is_delivered__is_joined_in_that_moment(world: "World", clock: "Clock") -> None:
    bob = world.connect("bob", "c")
    begin(world, "c", "bob", change_seq=2)
    await clock.settle()
    assert not world.written(bob)

    leave_and_return(world, "c", "bob")
    await clock.settle()

    assert [name for name, _ in world.written(bob)] == ["conversation:removed", "conversation:new"]


async def test_new_conversation__removal_is_never_delivered__is_settled_after_a_while(
    world: "World", clock: "Clock"
) -> None:
    bob = world.connect("bob", "c")
    bob.partial = True
    begin(world, "c", "bob", change_seq=2)
    await clock.advance(new_conversations.REJOIN_WAIT_S - 0.1)
    assert not world.written(bob)

    await clock.advance(0.1)

    assert [name for name, _ in world.written(bob)] == ["conversation:new"]


async def test_new_conversation__another_one_waits_for_a_removal__is_joined_meanwhile(
    world: "World", clock: "Clock"
) -> None:
    bob = world.connect("bob", "c")
    begin(world, "c", "bob", change_seq=2)
    await clock.settle()
    begin(world, "d", "bob")
    await clock.settle()

    assert [payload["id"] for payload in world.socket(bob).of("conversation:new")] == ["d"]


async def test_new_conversation__socket_closes_while_another_waits__nothing_is_left_behind(
    world: "World", clock: "Clock"
) -> None:
    bob, _ = world.connect("bob", "c"), world.connect("ada", "c")
    begin(world, "c", "bob", change_seq=2)
    await clock.settle()
    world.registry.remove(bob)
    await clock.settle()
    await clock.advance(new_conversations.PAUSE_S)

    assert not world.tasks
    assert not world.room("c").change_events


async def test_new_conversation__what_happened_there_meanwhile__is_sent_in_its_order(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(number: int, **fields: Any) -> dict[str, Any]:
        return {"seq": number, "change_seq": number, "edited_at": None, "deleted_at": None} | fields

    state = {
        "messages": [changed(5), changed(1, change_seq=3, deleted_at="now"), changed(2, change_seq=6, edited_at="now")],
        "members": [{"user": {"id": "cy"}, "role": "member", "change_seq": 4}],
        "conversation": {"id": "c", "title": "renamed", "change_seq": 6},
        "change_seq": 6,
        "more": False,
    }
    monkeypatch.setattr(world.api, "_state", lambda *_: state)
    ada = world.connect("ada")
    conversation = {"id": "c", "title": None, "last_seq": 2, "change_seq": 2}
    world.new_conversations.add("ada", conversation)
    await eventually(lambda: "c" in ada.rooms and ada.buffer is None)

    assert [name for name, _ in world.written(ada)] == [
        "conversation:new",
        "message:deleted",
        "member:changed",
        "message:new",
        "message:updated",
        "conversation:updated",
    ]


async def test_new_conversation__too_much_happened_there_meanwhile__is_asked_to_sync(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.api, "_state", lambda *_: {"messages": [], "more": True, "change_seq": 900})
    ada = world.connect("ada")
    world.new_conversations.add("ada", {"id": "c", "title": None, "last_seq": 0, "change_seq": 1})
    await eventually(lambda: "c" in ada.rooms and ada.buffer is None)

    assert world.socket(ada).of("sync:required") == [{"conversation_ids": ["c"]}]


async def test_new_conversation__removed_again_before_it_was_joined__is_not_sent(world: "World") -> None:
    ada = world.connect("ada")
    begin(world, "c", "ada")
    world.api.members["c"].clear()
    await eventually(lambda: "sync" in world.api.asked and ada.buffer is None)

    assert world.written(ada) == []
    assert world.registry.rooms == {}


async def test_new_conversation__redis_does_not_confirm_in_time__is_asked_to_sync(
    world: "World", clock: "Clock", monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = world.connect("ada")
    monkeypatch.setattr(world.feed, "subscribe", lambda *_: asyncio.get_running_loop().create_future())
    begin(world, "c", "ada")
    await clock.settle()
    assert ada.buffer is not None

    await clock.advance(SUBSCRIBE_TIMEOUT_S)
    assert [name for name, _ in world.written(ada)] == ["conversation:new", "sync:required"]
