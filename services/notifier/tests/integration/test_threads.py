"""Pushes of replies in threads: to whom they go, what they say, and what reading retracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.notifier.tests.harness import Rig


async def test_reply__is_pushed_to_followers_and_whom_it_mentions(rig: Rig) -> None:
    ada, bob, eve, dan = rig.user(), rig.user(), rig.user(), rig.user()
    tokens = [await user.add_device() for user in (bob, eve, dan)]
    conversation, thread_id = await rig.conversation(ada, bob, eve, dan), new_id()
    rig.upstreams.followers[thread_id] = [ada.id, bob.id]

    await conversation.write(ada, mentions=(eve.id,), thread_id=thread_id)
    await rig.settled()

    assert [len(rig.pushed(token)) for token in tokens] == [1, 1, 0]
    assert rig.pushed(tokens[0])[0].message["data"]["thread_id"] == thread_id


async def test_reply__at_level_mentions__is_pushed_to_whom_it_mentions(rig: Rig) -> None:
    ada, bob, eve = rig.user(), rig.user(), rig.user()
    tokens = [await user.add_device() for user in (bob, eve)]
    conversation, thread_id = await rig.conversation(ada, bob, eve), new_id()
    for user in (bob, eve):
        await user.set(conversation.id, "mentions")
    rig.upstreams.followers[thread_id] = [bob.id, eve.id]

    await conversation.write(ada, mentions=(eve.id,), thread_id=thread_id)
    await rig.settled()

    assert [len(rig.pushed(token)) for token in tokens] == [0, 1]


async def test_reply__that_mentions_everybody__reaches_followers_only(rig: Rig) -> None:
    ada, bob, eve = rig.user(), rig.user(), rig.user()
    tokens = [await user.add_device() for user in (bob, eve)]
    conversation, thread_id = await rig.conversation(ada, bob, eve), new_id()
    for user in (bob, eve):
        await user.set(conversation.id, "mentions")
    rig.upstreams.followers[thread_id] = [bob.id]

    await conversation.write(ada, mention_all=True, thread_id=thread_id)
    await rig.settled()

    assert [len(rig.pushed(token)) for token in tokens] == [1, 0]


async def test_reply__also_in_the_conversation__is_pushed_to_everybody(rig: Rig) -> None:
    ada, bob, eve = rig.user(), rig.user(), rig.user()
    tokens = [await user.add_device() for user in (bob, eve)]
    conversation, thread_id = await rig.conversation(ada, bob, eve), new_id()
    rig.upstreams.followers[thread_id] = [bob.id]

    await conversation.write(ada, thread_id=thread_id, also_in_conversation=True)
    await rig.settled()

    assert [len(rig.pushed(token)) for token in tokens] == [1, 1]


async def test_thread_read__retracts_its_replies_alone(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation, thread_id = await rig.conversation(ada, bob), new_id()
    rig.upstreams.followers[thread_id] = [bob.id]
    await conversation.write(ada)
    reply = await conversation.write(ada, thread_id=thread_id)
    await rig.pushes(token, 2)
    await rig.settled()

    await conversation.read_thread(bob, thread_id, 2)

    retract = (await rig.pushes(token, 3))[2].message["data"]
    assert (retract["type"], retract["message_id"]) == ("retract", reply.message.id)
    assert (retract["thread_id"], retract["seq"]) == (thread_id, "2")
    await rig.settled()
    assert len(rig.pushed(token)) == 3


async def test_conversation_read__retracts_what_it_shows__not_what_is_in_a_thread_alone(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation, thread_id = await rig.conversation(ada, bob), new_id()
    rig.upstreams.followers[thread_id] = [bob.id]
    shown = await conversation.write(ada, thread_id=thread_id, also_in_conversation=True)
    await conversation.write(ada, thread_id=thread_id)
    await rig.pushes(token, 2)
    await rig.settled()

    await conversation.read(bob, 2)

    retract = (await rig.pushes(token, 3))[2].message["data"]
    assert (retract["type"], retract["message_id"]) == ("retract", shown.message.id)
    await rig.settled()
    assert len(rig.pushed(token)) == 3


async def test_own_reply__retracts_the_thread__not_the_conversation(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation, thread_id = await rig.conversation(ada, bob), new_id()
    rig.upstreams.followers[thread_id] = [bob.id]
    await conversation.write(ada)
    reply = await conversation.write(ada, thread_id=thread_id)
    await rig.pushes(token, 2)
    await rig.settled()

    await conversation.write(bob, thread_id=thread_id)

    retract = (await rig.pushes(token, 3))[2].message["data"]
    assert (retract["type"], retract["message_id"]) == ("retract", reply.message.id)
    await rig.settled()
    assert len(rig.pushed(token)) == 3


async def test_reply__while_api_does_not_answer__is_pushed_later(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation, thread_id = await rig.conversation(ada, bob), new_id()
    rig.upstreams.followers[thread_id] = [bob.id]
    rig.upstreams.down = True
    asked = rig.upstreams.asked

    await conversation.write(ada, thread_id=thread_id)
    await eventually(lambda: rig.upstreams.asked > asked)
    rig.upstreams.down = False

    assert len(await rig.pushes(token, 1)) == 1


async def test_reply__whose_store_is_away__waits_and_no_other_waits_for_it(rig: Rig) -> None:
    ada, bob, eve = rig.user(), rig.user(), rig.user()
    tokens = [await user.add_device() for user in (bob, eve)]
    gone, here, threads = await rig.conversation(ada, bob), await rig.conversation(ada, eve), (new_id(), new_id())
    rig.upstreams.followers |= {threads[0]: [bob.id], threads[1]: [eve.id]}
    rig.upstreams.away.add(gone.id)

    await rig.publish(gone.message(ada, thread_id=threads[0]), here.message(ada, thread_id=threads[1]))
    await rig.pushes(tokens[1], 1)
    while_away = rig.pushed(tokens[0])
    rig.upstreams.away.clear()

    await rig.pushes(tokens[0], 1)
    assert while_away == []
    await rig.settled()
