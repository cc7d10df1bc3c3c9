"""Pushes that are withdrawn or retracted: read elsewhere, or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.notifier.tests.harness import Rig


async def test_read_elsewhere__each_device_gets_one_retraction__of_the_last(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    tokens = [await bob.add_device(), await bob.add_device(device_id="tablet")]
    conversation = await rig.conversation(ada, bob)
    last = await conversation.write(ada, times=3)
    for token in tokens:
        await rig.pushes(token, 3)
    await rig.settled()
    await conversation.read(bob, 3)
    await conversation.read(bob, 3)
    for token in tokens:
        retract = (await rig.pushes(token, 4))[3]
        assert retract.message["data"] == {
            "type": "retract",
            "conversation_id": conversation.id,
            "message_id": last.message.id,
            "seq": "3",
            "badge": "0",
            "sender_name": "",
            "title": "",
            "text": "",
            "thread_id": "",
        }
        assert retract.message["android"]["priority"] == "normal"
    await rig.settled()
    assert [len(rig.pushed(token)) for token in tokens] == [4, 4]


async def test_read__nothing_was_pushed__nothing_is_retracted(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    rig.upstreams.active.add(bob.id)
    await conversation.write(ada)
    await rig.settled()
    await conversation.read(bob, 1)
    await rig.settled()
    assert rig.pushed(token) == []


async def test_read__only_some__the_rest_stays(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    await conversation.write(ada, times=3)
    await rig.pushes(token, 3)
    await rig.settled()
    await conversation.read(bob, 2)
    assert (await rig.pushes(token, 4))[3].message["data"]["seq"] == "2"
    await conversation.read(bob, 3)
    assert (await rig.pushes(token, 5))[4].message["data"]["seq"] == "3"


async def test_read_while_on_its_way__is_retracted_right_after(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device(f"slow-{bob.id}")
    conversation = await rig.conversation(ada, bob)
    await conversation.write(ada)
    # Not its row in the table: that is taken before it is looked up what was read.
    await eventually(lambda: rig.fcm.state.inbox.sends(token) == 1)
    await conversation.read(bob, 1)
    received = await rig.pushes(token, 2)
    assert [one.message["data"]["type"] for one in received] == ["message", "retract"]


async def test_deleted_after_the_push__is_retracted(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    event = await conversation.write(ada)
    await rig.pushes(token, 1)
    await rig.settled()
    await conversation.delete(event)
    retract = (await rig.pushes(token, 2))[1].message["data"]
    assert (retract["type"], retract["message_id"]) == ("retract", event.message.id)


async def test_read__a_device_put_after_the_push__gets_nothing(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    await conversation.write(ada)
    await rig.pushes(token, 1)
    await rig.settled()
    new = await bob.add_device(device_id="new")
    await conversation.read(bob, 1)
    await rig.pushes(token, 2)
    await rig.settled()
    assert rig.pushed(new) == []
