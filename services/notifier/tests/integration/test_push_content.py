"""What a push says, when it comes, and how often."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from synctalk_contracts.events.messages import MessageCompleted
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import Role
from synctalk_runtime.ids import utc_now
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.notifier.tests.harness import Rig


async def test_badge__leaves_out_what_is_muted_or_at_level_none(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    loud, muted, none, no_more, mentions = [await rig.conversation(ada, bob) for _ in range(5)]
    await bob.set(muted.id, "all", format_time(utc_now() + timedelta(hours=1)))
    await bob.set(none.id, "none")
    await bob.set(no_more.id, "all", format_time(utc_now() - timedelta(hours=1)))
    await bob.set(mentions.id, "mentions")
    await loud.write(ada)
    await rig.pushes(token, 1)
    assert sorted(rig.upstreams.quiet[bob.id]) == sorted([muted.id, none.id])


async def test_push__carries_the_data_as_strings_and_a_collapse_key(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    rig.upstreams.says(bob.id, conversation.id, badge=7, sender_name="Ada", title="Team")
    event = await conversation.write(ada)
    [received] = await rig.pushes(token, 1)
    assert received.message["data"] == {
        "type": "message",
        "conversation_id": conversation.id,
        "message_id": event.message.id,
        "seq": "1",
        "badge": "7",
        "sender_name": "Ada",
        "title": "Team",
        "text": "hello",
        "thread_id": "",
    }
    assert received.message["android"] == {"collapse_key": conversation.id, "priority": "high"}
    assert received.message["apns"]["headers"]["apns-collapse-id"] == conversation.id
    assert received.message["apns"]["payload"]["aps"]["badge"] == 7
    assert len(received.message["webpush"]["headers"]["Topic"]) == 32
    assert received.message["apns"]["payload"]["aps"]["alert"] == {"title": "Team", "body": "Ada: hello"}


async def test_push__content_none__says_nothing_of_the_message_in_the_language_of_the_device(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = f"token-{uuid4().hex}"
    await bob.put("/v1/devices/phone", {"platform": "ios", "token": token, "locale": "de-DE"})
    conversation = await rig.conversation(ada, bob)
    rig.upstreams.says(bob.id, conversation.id, sender_name="Ada", title="Team")
    await bob.set_all(content="none")
    await conversation.write(ada)
    [received] = await rig.pushes(token, 1)
    assert received.message["apns"]["payload"]["aps"]["alert"] == {"body": "Neue Nachricht"}
    assert not [word for word in ("hello", "Ada", "Team") if word in str(received.message)]


async def test_push__once_it_is_sent__its_text_is_not_kept(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    await conversation.write(ada)
    await rig.pushes(token, 1)
    await rig.settled()
    async with rig.postgres.connection() as conn:
        kept = await conn.fetch("select state, text from pushes where conversation_id = $1", conversation.id)
    assert [tuple(row) for row in kept] == [("sent", None)]


async def test_push__not_before_the_hold_is_over(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    event = await conversation.write(ada)
    [received] = await rig.pushes(token, 1)
    assert received.received_at - event.message.created_at >= timedelta(seconds=0.1)


async def test_push__goes_to_each_device_of_each_other_member(rig: Rig) -> None:
    ada, bob, cas = rig.user(), rig.user(), rig.user()
    tokens = [await bob.add_device(), await bob.add_device(device_id="tablet"), await cas.add_device()]
    await (await rig.conversation(ada, bob, cas)).write(ada)
    for token in tokens:
        await rig.pushes(token, 1)
    await rig.settled()
    assert [len(rig.pushed(token)) for token in tokens] == [1, 1, 1]


async def test_push__goes_on_with_the_trace_of_its_message(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    trace = f"00-{uuid4().hex}-{uuid4().hex[:16]}-01"
    await rig.publish(conversation.message(ada), traceparent=trace)
    await rig.settled()
    async with rig.postgres.connection() as conn:
        found = await conn.fetchval("select traceparent from pushes where conversation_id = $1", conversation.id)
    assert found.split("-")[1] == trace.split("-")[1]


async def test_push__of_many_messages__come_in_order_one_each(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    await (await rig.conversation(ada, bob)).write(ada, times=12)
    received = await rig.pushes(token, 12)
    await rig.settled()
    assert [one.message["data"]["seq"] for one in received] == [str(seq) for seq in range(1, 13)]
    assert len(rig.pushed(token)) == 12


async def test_push__of_a_repeated_event__comes_once(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    event = conversation.message(ada)
    await rig.publish(event, event)
    await rig.pushes(token, 1)
    await rig.settled()
    await rig.publish(event)
    await rig.settled()
    assert len(rig.pushed(token)) == 1


async def test_push__conversation_created_event_after_its_message__still_comes(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation, created = rig.created(ada, bob)
    await conversation.write(ada)
    await rig.settled()
    assert rig.pushed(token) == []
    await rig.publish(created)
    await rig.pushes(token, 1)
    await rig.settled()
    assert len(rig.pushed(token)) == 1


async def test_push__member_added_event_after_the_message__still_comes(rig: Rig) -> None:
    ada, bob, cas = rig.user(), rig.user(), rig.user()
    early, late = await bob.add_device(), await cas.add_device()
    conversation = await rig.conversation(ada, bob)
    came = conversation.member_changed(cas, Role.MEMBER)
    await conversation.write(ada)
    await rig.settled()
    await rig.publish(came)
    await rig.pushes(late, 1)
    await rig.settled()
    assert [len(rig.pushed(early)), len(rig.pushed(late))] == [1, 1]


async def test_membership__older_event_after_newer__changes_nothing(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation, created = rig.created(ada, bob)
    await rig.publish(conversation.member_changed(bob, None), created)
    await conversation.write(ada)
    await rig.settled()
    assert rig.pushed(token) == []


async def test_push__upstreams_down__comes_when_they_are_back(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    rig.upstreams.down = True
    asked = rig.upstreams.asked
    try:
        await conversation.write(ada)
        await eventually(lambda: rig.upstreams.asked > asked + 1)
        assert rig.pushed(token) == []
    finally:
        rig.upstreams.down = False
    await rig.pushes(token, 1)


async def test_push__of_a_streamed_message__comes_at_its_end_and_once(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    begun = await conversation.write(ada, body="Let me", streaming=True)
    plain = await conversation.write(ada, body="plain")
    await rig.pushes(token, 1)
    whole = begun.message.model_copy(update={"body": "Let me think", "streaming": False, "change_seq": 9})
    await rig.publish(MessageCompleted(message=whole))
    pushes = await rig.pushes(token, 2)

    assert [push.message["data"]["message_id"] for push in pushes] == [plain.message.id, begun.message.id]
    assert [push.message["data"]["text"] for push in pushes] == ["plain", "Let me think"]
