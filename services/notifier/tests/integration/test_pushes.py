"""A message's way to the devices of those who are not here: by the bus, the real Firebase client and the stand-in."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import EndReason, Role
from synctalk_runtime.ids import utc_now
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.notifier.tests.integration.conftest import Person, Rig


class TestWhoIsNotPushed:
    async def test_message__its_sender__is_not_pushed(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token, other = await ada.add_device(), await bob.add_device()
        await (await rig.conversation(ada, bob)).write(ada)
        await rig.pushes(other, 1)
        await rig.settled()
        assert rig.pushed(token) == []

    async def test_message__a_stranger__is_not_pushed(self, rig: Rig) -> None:
        ada, bob, eve = rig.person(), rig.person(), rig.person()
        token = await eve.add_device()
        await (await rig.conversation(ada, bob)).write(ada)
        await rig.settled()
        assert rig.pushed(token) == []

    async def test_message__who_is_active__is_not_pushed(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        rig.neighbours.active.add(bob.id)
        await (await rig.conversation(ada, bob)).write(ada)
        await rig.settled()
        assert rig.pushed(token) == []

    @pytest.mark.parametrize("fact", ["delivered", "read", "deleted"])
    async def test_message__delivered_read_or_deleted_meanwhile__is_not_pushed(self, rig: Rig, fact: str) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        conversation = await rig.conversation(ada, bob)
        rig.neighbours.says(bob.id, conversation.id, **{fact: True})
        await conversation.write(ada)
        await rig.settled()
        assert rig.pushed(token) == []

    async def test_message__who_left__is_not_pushed(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        conversation = await rig.conversation(ada, bob)
        await rig.publish(conversation.member_changed(bob, None))
        await conversation.write(ada)
        await rig.settled()
        assert rig.pushed(token) == []

    async def test_message__api_says_no_member__is_not_pushed(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        conversation = await rig.conversation(ada, bob)
        rig.neighbours.says(bob.id, conversation.id, member=False)
        await conversation.write(ada)
        await rig.settled()
        assert rig.pushed(token) == []

    async def test_message__from_before_one_came__is_not_pushed(self, rig: Rig) -> None:
        ada, bob, cas = rig.person(), rig.person(), rig.person()
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
    async def test_message__by_level(self, rig: Rig, level: str, pushed: int) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        conversation = await rig.conversation(ada, bob)
        await bob.set(conversation.id, level)
        await conversation.write(ada)
        await conversation.write(ada, mentions=(bob.id,))
        await rig.settled()
        assert len(rig.pushed(token)) == pushed

    async def test_message__muted__not_pushed_until_then(self, rig: Rig) -> None:
        ada, bob, cas = rig.person(), rig.person(), rig.person()
        muted, no_more = await bob.add_device(), await cas.add_device()
        conversation = await rig.conversation(ada, bob, cas)
        await bob.set(conversation.id, "all", format_time(utc_now() + timedelta(hours=1)))
        await cas.set(conversation.id, "all", format_time(utc_now() - timedelta(hours=1)))
        await conversation.write(ada)
        await rig.pushes(no_more, 1)
        await rig.settled()
        assert rig.pushed(muted) == []

    async def test_device__its_session_ended__is_gone_and_not_pushed(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        other_session = type(bob)(bob.http, bob.maker, id=bob.id)
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
            items = (await other_session.call("GET", "/v1/devices")).json()["items"]
            return [item["device_id"] for item in items] == ["tablet"]

        await eventually(only_the_other)
        await conversation.write(ada)
        await rig.pushes(kept, 1)
        await rig.settled()
        assert rig.pushed(token) == []


class TestPush:
    async def test_push__carries_the_data_as_strings_and_a_collapse_key(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        conversation = await rig.conversation(ada, bob)
        rig.neighbours.says(bob.id, conversation.id, badge=7)
        event = await conversation.write(ada)
        [received] = await rig.pushes(token, 1)
        assert received.message["data"] == {
            "type": "message",
            "conversation_id": conversation.id,
            "message_id": event.message.id,
            "seq": "1",
            "badge": "7",
        }
        assert received.message["android"] == {"collapse_key": conversation.id, "priority": "high"}
        assert received.message["apns"]["headers"]["apns-collapse-id"] == conversation.id
        assert received.message["apns"]["payload"]["aps"]["badge"] == 7
        assert len(received.message["webpush"]["headers"]["Topic"]) == 32
        assert "hello" not in str(received.message)

    async def test_push__not_before_the_hold_is_over(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        conversation = await rig.conversation(ada, bob)
        event = await conversation.write(ada)
        [received] = await rig.pushes(token, 1)
        assert received.received_at - event.message.created_at >= timedelta(seconds=0.1)

    async def test_push__goes_to_each_device_of_each_other_member(self, rig: Rig) -> None:
        ada, bob, cas = rig.person(), rig.person(), rig.person()
        tokens = [await bob.add_device(), await bob.add_device(device_id="tablet"), await cas.add_device()]
        await (await rig.conversation(ada, bob, cas)).write(ada)
        for token in tokens:
            await rig.pushes(token, 1)
        await rig.settled()
        assert [len(rig.pushed(token)) for token in tokens] == [1, 1, 1]

    async def test_push__goes_on_with_the_trace_of_its_message(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        await bob.add_device()
        conversation = await rig.conversation(ada, bob)
        trace = f"00-{uuid4().hex}-{uuid4().hex[:16]}-01"
        await rig.publish(conversation.message(ada), traceparent=trace)
        await rig.settled()
        async with rig.app.state.parts.postgres.connection() as conn:
            found = await conn.fetchval("select traceparent from pushes where conversation_id = $1", conversation.id)
        assert found.split("-")[1] == trace.split("-")[1]

    async def test_push__of_many_messages__come_in_order_one_each(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        await (await rig.conversation(ada, bob)).write(ada, times=12)
        received = await rig.pushes(token, 12)
        await rig.settled()
        assert [one.message["data"]["seq"] for one in received] == [str(seq) for seq in range(1, 13)]
        assert len(rig.pushed(token)) == 12

    async def test_push__of_a_repeated_event__comes_once(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        conversation = await rig.conversation(ada, bob)
        event = conversation.message(ada)
        await rig.publish(event, event)
        await rig.pushes(token, 1)
        await rig.settled()
        await rig.publish(event)
        await rig.settled()
        assert len(rig.pushed(token)) == 1

    async def test_push__conversation_heard_of_after_its_message__still_comes(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        conversation, created = rig.created(ada, bob)
        await conversation.write(ada)
        await rig.settled()
        assert rig.pushed(token) == []
        await rig.publish(created)
        await rig.pushes(token, 1)
        await rig.settled()
        assert len(rig.pushed(token)) == 1

    async def test_push__member_heard_of_after_the_message__still_comes(self, rig: Rig) -> None:
        ada, bob, cas = rig.person(), rig.person(), rig.person()
        early, late = await bob.add_device(), await cas.add_device()
        conversation = await rig.conversation(ada, bob)
        came = conversation.member_changed(cas, Role.MEMBER)
        await conversation.write(ada)
        await rig.settled()
        await rig.publish(came)
        await rig.pushes(late, 1)
        await rig.settled()
        assert [len(rig.pushed(early)), len(rig.pushed(late))] == [1, 1]

    async def test_membership__older_event_after_newer__changes_nothing(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        conversation, created = rig.created(ada, bob)
        await rig.publish(conversation.member_changed(bob, None), created)
        await conversation.write(ada)
        await rig.settled()
        assert rig.pushed(token) == []

    async def test_push__neighbours_down__comes_when_they_are_back(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        conversation = await rig.conversation(ada, bob)
        rig.neighbours.down = True
        asked = rig.neighbours.asked
        try:
            await conversation.write(ada)
            await eventually(lambda: rig.neighbours.asked > asked + 1)
            assert rig.pushed(token) == []
        finally:
            rig.neighbours.down = False
        await rig.pushes(token, 1)


class TestFcmTroubles:
    async def pushed_to(self, rig: Rig, prefix: str) -> tuple[str, Person]:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device(f"{prefix}{bob.id}")
        await (await rig.conversation(ada, bob)).write(ada)
        return token, bob

    async def test_unregistered__the_device_goes(self, rig: Rig) -> None:
        token, bob = await self.pushed_to(rig, "unregistered-")

        async def gone() -> bool:
            return bool((await bob.call("GET", "/v1/devices")).json()["items"] == [])

        await eventually(gone)
        assert [received.answered for received in rig.pushed(token)] == [404]

    async def test_unavailable__is_tried_again_until_it_comes_once(self, rig: Rig) -> None:
        token, _ = await self.pushed_to(rig, "unavailable-")
        await rig.pushes(token, 1)
        await rig.settled()
        assert [received.answered for received in rig.pushed(token)] == [503, 503, 200]

    async def test_unavailable__what_waits_behind__comes_after_it_in_order(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device(f"unavailable-{bob.id}")
        await (await rig.conversation(ada, bob)).write(ada, times=3)
        await rig.pushes(token, 3)
        await rig.settled()
        seen = [(one.answered, one.message["data"]["seq"]) for one in rig.pushed(token)]
        assert seen == [(503, "1"), (503, "1"), (200, "1"), (200, "2"), (200, "3")]

    async def test_quota__is_tried_again_not_sooner_than_asked(self, rig: Rig) -> None:
        token, _ = await self.pushed_to(rig, "quota-")
        await rig.pushes(token, 1)
        received = rig.pushed(token)
        assert [one.answered for one in received] == [429, 429, 200]
        times = [one.received_at for one in received]
        assert min(later - earlier for earlier, later in pairwise(times)) >= timedelta(seconds=1)

    async def test_slow__comes_once_and_holds_up_nobody(self, rig: Rig) -> None:
        ada, bob, cas = rig.person(), rig.person(), rig.person()
        slow, quick = await bob.add_device(f"slow-{bob.id}"), await cas.add_device()
        conversation = await rig.conversation(ada, bob, cas)
        await conversation.write(ada, times=3)
        await rig.pushes(quick, 3)
        assert rig.pushed(slow) == []
        await rig.pushes(slow, 3)
        await rig.settled()
        assert [one.message["data"]["seq"] for one in rig.pushed(slow)] == ["1", "2", "3"]

    async def test_stand_in_restarted__its_tokens_forgotten__pushes_go_on(self, rig: Rig) -> None:
        rig.fcm.state.tokens._expires_at.clear()
        token, _ = await self.pushed_to(rig, "after-restart-")
        await rig.pushes(token, 1)


class TestRetract:
    async def test_read_elsewhere__each_device_is_told_once__of_the_last(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
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
            }
            assert retract.message["android"]["priority"] == "normal"
        await rig.settled()
        assert [len(rig.pushed(token)) for token in tokens] == [4, 4]

    async def test_read__nothing_was_pushed__nothing_is_retracted(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        conversation = await rig.conversation(ada, bob)
        rig.neighbours.active.add(bob.id)
        await conversation.write(ada)
        await rig.settled()
        await conversation.read(bob, 1)
        await rig.settled()
        assert rig.pushed(token) == []

    async def test_read__only_some__the_rest_stays(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        conversation = await rig.conversation(ada, bob)
        await conversation.write(ada, times=3)
        await rig.pushes(token, 3)
        await rig.settled()
        await conversation.read(bob, 2)
        assert (await rig.pushes(token, 4))[3].message["data"]["seq"] == "2"
        await conversation.read(bob, 3)
        assert (await rig.pushes(token, 5))[4].message["data"]["seq"] == "3"

    async def test_read_while_on_its_way__is_retracted_right_after(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device(f"slow-{bob.id}")
        conversation = await rig.conversation(ada, bob)
        await conversation.write(ada)
        async with rig.app.state.parts.postgres.connection() as conn:

            async def on_its_way() -> bool:
                query = "select exists (select from pushes where user_id = $1 and state = 'sending')"
                return bool(await conn.fetchval(query, bob.id))

            await eventually(on_its_way)
        await conversation.read(bob, 1)
        received = await rig.pushes(token, 2)
        assert [one.message["data"]["type"] for one in received] == ["message", "retract"]

    async def test_deleted_after_the_push__is_retracted(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        token = await bob.add_device()
        conversation = await rig.conversation(ada, bob)
        event = await conversation.write(ada)
        await rig.pushes(token, 1)
        await rig.settled()
        await conversation.delete(event)
        retract = (await rig.pushes(token, 2))[1].message["data"]
        assert (retract["type"], retract["message_id"]) == ("retract", event.message.id)

    async def test_read__a_device_put_after_the_push__is_not_told(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
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
