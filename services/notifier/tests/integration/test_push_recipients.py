"""Which devices a message is pushed to, and which not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from synctalk_contracts.events.messages import MessageCreated
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import EndReason, Role
from synctalk_notifier.store.deliveries import Deliveries
from synctalk_runtime.ids import utc_now
from synctalk_runtime.redis_pipeline import RedisPipeline
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.notifier.tests.harness import Rig


async def test_message__its_sender__is_not_pushed(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token, other = await ada.add_device(), await bob.add_device()
    await (await rig.conversation(ada, bob)).write(ada)
    await rig.pushes(other, 1)
    await rig.settled()
    assert rig.pushed(token) == []


async def test_message__an_unrelated_user__is_not_pushed(rig: Rig) -> None:
    ada, bob, eve = rig.user(), rig.user(), rig.user()
    token = await eve.add_device()
    await (await rig.conversation(ada, bob)).write(ada)
    await rig.settled()
    assert rig.pushed(token) == []


async def test_message__who_is_active__is_not_pushed(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    rig.upstreams.active.add(bob.id)
    await (await rig.conversation(ada, bob)).write(ada)
    await rig.settled()
    assert rig.pushed(token) == []


async def test_message__an_idle_laptop_got__is_pushed_to_the_phone(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    laptop = bob.other_session()
    phone_token, laptop_token = await bob.add_device(), await laptop.add_device(device_id="laptop")
    conversation = await rig.conversation(ada, bob)
    event = conversation.message(ada)
    rig.upstreams.says(bob.id, conversation.id, delivered=True)
    await rig.got(laptop, event)
    await rig.publish(event)
    await rig.pushes(phone_token, 1)
    await rig.settled()
    assert rig.pushed(laptop_token) == []


async def test_message__the_session_got_an_earlier_one__is_pushed(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    earlier, later = conversation.message(ada), conversation.message(ada)
    await rig.got(bob, earlier)
    await rig.publish(earlier, later)
    [received] = await rig.pushes(token, 1)
    await rig.settled()
    assert received.message["data"]["message_id"] == later.message.id
    assert len(rig.pushed(token)) == 1


async def test_message__who_becomes_idle_within_the_wait__is_pushed(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    message = conversation.message(ada).message
    event = MessageCreated(message=message.model_copy(update={"created_at": utc_now() + timedelta(seconds=1)}))
    rig.upstreams.active.add(bob.id)
    await rig.publish(event)
    async with rig.postgres.connection() as conn:

        async def is_stored() -> bool:
            return bool(
                await conn.fetchval(
                    "select exists (select from incoming_messages where $1 = any(conversation_ids))", conversation.id
                )
            )

        await eventually(is_stored)
    assert rig.pushed(token) == []
    rig.upstreams.active.discard(bob.id)
    await rig.pushes(token, 1)


async def test_message__redis_is_away__is_pushed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    received = Deliveries(RedisPipeline(SecretStr("redis://127.0.0.1:1/0"))).received
    monkeypatch.setattr(Deliveries, "received", lambda _, questions: received(questions))
    await (await rig.conversation(ada, bob)).write(ada)
    await rig.pushes(token, 1)


@pytest.mark.parametrize("fact", ["read", "deleted"])
async def test_message__read_or_deleted_meanwhile__is_not_pushed(rig: Rig, fact: str) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    rig.upstreams.says(bob.id, conversation.id, **{fact: True})
    await conversation.write(ada)
    await rig.settled()
    assert rig.pushed(token) == []


async def test_message__who_left__is_not_pushed(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    await rig.publish(conversation.member_changed(bob, None))
    await conversation.write(ada)
    await rig.settled()
    assert rig.pushed(token) == []


async def test_message__api_says_no_member__is_not_pushed(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    rig.upstreams.says(bob.id, conversation.id, member=False)
    await conversation.write(ada)
    await rig.settled()
    assert rig.pushed(token) == []


async def test_message__from_before_one_came__is_not_pushed(rig: Rig) -> None:
    ada, bob, cas = rig.user(), rig.user(), rig.user()
    token = await cas.add_device()
    conversation = await rig.conversation(ada, bob)
    await conversation.write(ada)
    await rig.publish(conversation.member_changed(cas, Role.MEMBER))
    after = await conversation.write(ada)
    [received] = await rig.pushes(token, 1)
    await rig.settled()
    assert len(rig.pushed(token)) == 1
    assert received.message["data"]["message_id"] == after.message.id


@pytest.mark.parametrize(("level", "pushed"), [("all", 2), ("mentions", 1), ("none", 0)])
async def test_message__by_level(rig: Rig, level: str, pushed: int) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    await bob.set(conversation.id, level)
    await conversation.write(ada)
    await conversation.write(ada, mentions=(bob.id,))
    await rig.settled()
    assert len(rig.pushed(token)) == pushed


@pytest.mark.parametrize(("level", "pushed"), [("all", 1), ("mentions", 1), ("none", 0)])
async def test_message__that_mentions_all__is_a_mention(rig: Rig, level: str, pushed: int) -> None:
    ada, bob = rig.user(), rig.user()
    own, token = await ada.add_device(), await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    await bob.set(conversation.id, level)
    await conversation.write(ada, mention_all=True)
    await rig.settled()
    assert (len(rig.pushed(token)), len(rig.pushed(own))) == (pushed, 0)


async def test_message__of_the_group_itself__is_not_pushed(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    await conversation.write(ada, system={"type": "renamed", "title": "Tea"})
    said = await conversation.write(ada)
    await rig.settled()
    assert [pushed.message["data"]["message_id"] for pushed in rig.pushed(token)] == [said.message.id]


async def test_message__silent__is_not_pushed(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    await rig.publish(conversation.message(ada).model_copy(update={"silent": True}))
    said = await conversation.write(ada)
    await rig.settled()
    assert [pushed.message["data"]["message_id"] for pushed in rig.pushed(token)] == [said.message.id]


async def test_message__muted__not_pushed_until_then(rig: Rig) -> None:
    ada, bob, cas = rig.user(), rig.user(), rig.user()
    muted, no_more = await bob.add_device(), await cas.add_device()
    conversation = await rig.conversation(ada, bob, cas)
    await bob.set(conversation.id, "all", format_time(utc_now() + timedelta(hours=1)))
    await cas.set(conversation.id, "all", format_time(utc_now() - timedelta(hours=1)))
    await conversation.write(ada)
    await rig.pushes(no_more, 1)
    await rig.settled()
    assert rig.pushed(muted) == []


async def test_device__its_session_ended__is_gone_and_not_pushed(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    other_session = bob.other_session()
    kept = await other_session.add_device(device_id="tablet")
    conversation = await rig.conversation(ada, bob)
    await rig.publish(
        SessionRevoked(
            session_id=bob.session_id,
            user_id=bob.id,
            reason=EndReason.LOGGED_OUT,
            deny_until=utc_now() + timedelta(hours=1),
        )
    )

    async def only_the_other() -> bool:
        items = (await other_session.call("GET", "/v1/devices")).body["items"]
        return [item["device_id"] for item in items] == ["tablet"]

    await eventually(only_the_other)
    await conversation.write(ada)
    await rig.pushes(kept, 1)
    await rig.settled()
    assert rig.pushed(token) == []


async def test_message__at_dnd__is_not_pushed_and_not_later_either(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    rig.upstreams.dnd.add(bob.id)
    await conversation.write(ada)
    await rig.settled()
    rig.upstreams.dnd.discard(bob.id)
    await conversation.write(ada)
    [received] = await rig.pushes(token, 1)
    await rig.settled()
    assert (received.message["data"]["seq"], len(rig.pushed(token))) == ("2", 1)


async def test_message__in_quiet_hours__is_not_pushed_and_not_later_either(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversation = await rig.conversation(ada, bob)
    now = utc_now()
    clocks = [f"{now - timedelta(hours=1):%H:%M}", f"{now + timedelta(hours=1):%H:%M}"]
    await bob.set_all(quiet_hours={"from": clocks[0], "to": clocks[1], "time_zone": "UTC"})
    await conversation.write(ada)
    await rig.settled()
    await bob.set_all(quiet_hours={"from": clocks[1], "to": clocks[0], "time_zone": "UTC"})
    await conversation.write(ada)
    [received] = await rig.pushes(token, 1)
    await rig.settled()
    assert (received.message["data"]["seq"], len(rig.pushed(token))) == ("2", 1)


async def test_message__level_mentions_for_all__lets_mentions_and_direct_messages_through(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    group, own_level, direct = (
        await rig.conversation(ada, bob),
        await rig.conversation(ada, bob),
        await rig.direct(ada, bob),
    )
    await bob.set_all(level="mentions")
    await bob.set(own_level.id, "all")
    plain = await group.write(ada)
    meant = [
        await group.write(ada, mentions=(bob.id,)),
        await group.write(ada, mention_all=True),
        await direct.write(ada),
        await own_level.write(ada),
    ]
    received = await rig.pushes(token, 4)
    await rig.settled()
    pushed = {one.message["data"]["message_id"] for one in received}
    assert pushed == {event.message.id for event in meant}
    assert plain.message.id not in pushed
    assert len(rig.pushed(token)) == 4


async def test_message__whose_store_is_away__waits_and_no_other_waits_for_it(rig: Rig) -> None:
    ada, bob, eve = rig.user(), rig.user(), rig.user()
    tokens = [await user.add_device() for user in (bob, eve)]
    gone, here = await rig.conversation(ada, bob), await rig.conversation(ada, eve)
    rig.upstreams.away.add(gone.id)

    await rig.publish(gone.message(ada), here.message(ada))
    await rig.pushes(tokens[1], 1)
    await here.write(ada)
    await rig.pushes(tokens[1], 2)
    while_away = rig.pushed(tokens[0])
    rig.upstreams.away.clear()

    await rig.pushes(tokens[0], 1)
    assert while_away == []
    await rig.settled()
