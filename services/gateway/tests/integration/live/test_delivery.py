"""Whatever is lost on the way: seen, asked to sync, or disconnected, within seconds; and never by the removed."""

import time
from typing import TYPE_CHECKING

from synctalk_contracts import topology
from synctalk_contracts.events.conversations import ConversationCreated, MemberAtCreation, MemberChanged
from synctalk_contracts.fanout import RoomBatch, RoomEvent
from synctalk_contracts.models import Role
from synctalk_contracts.sockets import MessageEphemeralToClient
from synctalk_runtime.ids import new_id, utc_now
from synctalk_testkit.clients import LiveSocket
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.integration.live.conftest import Live

ADA, BOB = new_id(), new_id()


def numbers(live: LiveSocket) -> list[int]:
    return [message["change_seq"] for message in live.of("message:new")]


async def test_the_last_message__lost_before_a_silence__is_noticed_within_five_seconds(live: "Live") -> None:
    group = live.upstreams.conversation(ADA, BOB)
    bob = await live.connect(BOB)
    await live.upstreams.send(group, ADA)
    await bob.wait_for("message:new")
    lost_at = time.monotonic()
    await live.upstreams.send(group, ADA, publish=False)
    await bob.receive("sync:required", {"conversation_ids": [group]})

    assert time.monotonic() - lost_at < 5
    assert numbers(bob) == [1]


async def test_an_ephemeral_message__reaches_all_who_are_there__and_none_who_was_removed(live: "Live") -> None:
    group = live.upstreams.conversation(ADA, BOB)
    ada, bob = await live.connect(ADA), await live.connect(BOB)
    said = MessageEphemeralToClient(
        id=new_id(), conversation_id=group, sender_id=ADA, client_message_id="a", body="now", created_at=utc_now()
    )
    event = RoomEvent(event="message:ephemeral", user_id=ADA, payload=said.model_dump(mode="json"))
    batch = RoomBatch(conversation_id=group, events=[event]).model_dump(mode="json")
    channel = topology.conversation_channel(group)
    await live.upstreams.publish_on(channel, batch)
    for socket in (ada, bob):
        await socket.receive("message:ephemeral", event.payload)

    await live.upstreams.remove(group, BOB)
    await bob.receive("conversation:removed", {"id": group})
    await live.upstreams.publish_on(channel, batch)
    await eventually(lambda: len(ada.of("message:ephemeral")) == 2)
    await live.upstreams.send(group, ADA)
    await ada.wait_for("message:new")

    assert len(bob.of("message:ephemeral")) == 1
    assert ada.of("sync:required") == []


async def test_a_removal__lost__nothing_written_after_it_reaches_the_removed(live: "Live") -> None:
    group = live.upstreams.conversation(ADA, BOB)
    ada, bob = await live.connect(ADA), await live.connect(BOB)
    await live.upstreams.remove(group, BOB, publish=False)
    await live.upstreams.send(group, ADA)
    await ada.receive("sync:required", {"conversation_ids": [group]})
    await bob.receive("conversation:removed", {"id": group})
    await live.upstreams.send(group, ADA)
    await ada.wait_for("message:new")

    assert numbers(ada) == [3]
    assert numbers(bob) == []


async def test_a_removal__lost_while_api_is_away__everybody_comes_back(live: "Live") -> None:
    group = live.upstreams.conversation(ADA, BOB)
    ada, bob = await live.connect(ADA), await live.connect(BOB)
    live.upstreams.answers = False
    await live.upstreams.remove(group, BOB, publish=False)
    await live.upstreams.send(group, ADA)
    await bob.wait_disconnected()
    await ada.wait_disconnected()
    live.upstreams.answers = True
    await ada.wait_reconnected(1)
    await bob.wait_reconnected(1)
    await eventually(lambda: len(ada.of("ready")) == len(bob.of("ready")) == 2)
    await live.upstreams.send(group, ADA)
    await ada.wait_for("message:new")

    assert numbers(bob) == []
    assert bob.of("ready")[-1]["conversations"] == []


async def test_the_subscription_breaks__everybody_is_put_in_place_and_syncs(live: "Live") -> None:
    group, other = live.upstreams.conversation(ADA, BOB), live.upstreams.conversation(BOB)
    ada, bob = await live.connect(ADA), await live.connect(BOB)
    live.upstreams.members[other].add(ADA)
    await live.upstreams.remove(group, BOB, publish=False)
    await live.redis.client_kill_filter(_type="pubsub")
    await ada.receive("sync:required", {"conversation_ids": None})
    await bob.receive("conversation:removed", {"id": group})
    await live.upstreams.send(group, ADA)
    await live.upstreams.send(other, BOB)
    await eventually(lambda: len(ada.of("message:new")) == 2)

    assert [c["id"] for c in ada.of("conversation:new")] == [other]
    assert {message["conversation_id"] for message in bob.of("message:new")} == {other}


async def test_the_subscription_breaks__while_api_is_away__everybody_comes_back(live: "Live") -> None:
    live.upstreams.conversation(ADA)
    ada = await live.connect(ADA)
    live.upstreams.answers = False
    await live.redis.client_kill_filter(_type="pubsub")
    await ada.wait_disconnected()
    live.upstreams.answers = True

    await ada.wait_reconnected(1)


async def test_more_conversations_than_ready_names__a_message_in_another__is_received_at_once(live: "Live") -> None:
    await live.start(ready_conversations=2)
    groups = [live.upstreams.conversation(ADA, BOB) for _ in range(3)]
    ada = await live.connect(ADA, 1)
    assert ada.of("ready")[0]["more"]
    assert [c["id"] for c in ada.of("ready")[0]["conversations"]] == groups[:2]
    await live.upstreams.send(groups[2], BOB)
    await eventually(lambda: numbers(ada) == [1])
    await live.upstreams.send(groups[2], BOB)

    await eventually(lambda: numbers(ada) == [1, 2])


async def test_a_new_conversation__its_publish_is_lost__is_sent_all_the_same(live: "Live") -> None:
    live.upstreams.conversation(ADA, BOB)
    ada, bob = await live.connect(ADA), await live.connect(BOB)
    group = live.upstreams.conversation(ADA, BOB)
    live.upstreams.change_seqs[group] = 1
    created = ConversationCreated(
        conversation_id=group,
        type="group",
        title=None,
        created_by=ADA,
        created_at=utc_now(),
        members=[MemberAtCreation(user_id=user_id, role=Role.MEMBER) for user_id in (ADA, BOB)],
        change_seq=1,
    )
    await live.upstreams.publish(created)
    for socket in (ada, bob):
        await socket.wait_for("conversation:new", lambda conversation: conversation["id"] == group)
    await live.upstreams.send(group, ADA)

    await bob.wait_for("message:new", lambda message: message["conversation_id"] == group)


async def test_a_member__added_and_not_notified__gets_the_conversation(live: "Live") -> None:
    group = live.upstreams.conversation(BOB)
    ada = await live.connect(ADA)
    live.upstreams.members[group].add(ADA)
    live.upstreams.change_seqs[group] = 7
    await live.upstreams.publish(MemberChanged(conversation_id=group, user_id=ADA, role=Role.MEMBER, change_seq=7))

    await ada.wait_for("conversation:new", lambda conversation: conversation["id"] == group)
