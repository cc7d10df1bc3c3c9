"""What is hard to bring about from outside: crashes in mid-sending, endless failure, old age, no credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from pydantic import SecretStr
from synctalk_contracts.envelope import Event
from synctalk_contracts.events.receipts import ReceiptRead
from synctalk_notifier.actions import schedule
from synctalk_notifier.actions.cleaning import remove_old
from synctalk_notifier.actions.deliver import Delivery, Finished, Senders
from synctalk_notifier.actions.devices import Devices
from synctalk_notifier.actions.incoming import store_events
from synctalk_notifier.actions.schedule import Scheduling
from synctalk_notifier.clients.fcm import Fcm
from synctalk_notifier.clients.outcomes import End, Outcome
from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.settings import Settings
from synctalk_notifier.store import incoming, pushes
from synctalk_notifier.store.deliveries import Deliveries
from synctalk_notifier.store.pushes import Claim, NewPush
from synctalk_runtime.ids import utc_now
from synctalk_runtime.migrate import migrate
from synctalk_runtime.outbound import Outbound
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.redis_pipeline import RedisPipeline
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.tokens import Principal
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.notifier.tests.harness import Conversation, NotifierUser, Rig


@dataclass(frozen=True)
class Steps:
    """The steps of a notifier whose sender does not run: the test takes each by itself."""

    postgres: Postgres
    settings: Settings
    upstreams: Upstreams
    deliveries: Deliveries
    fcm: Fcm | None

    @property
    def devices(self) -> Devices:
        return Devices(self.postgres, Revocations(), Outbound(), self.settings.devices_per_user, has_stand_in=False)

    @property
    def scheduling(self) -> Scheduling:
        return Scheduling(self.postgres, self.upstreams)

    @property
    def delivery(self) -> Delivery:
        return Delivery(self.postgres, self.upstreams, self.deliveries, Senders(self.fcm, None), self.settings)

    def changed(self, **changes: Any) -> Steps:
        return replace(self, settings=self.settings.model_copy(update=changes))

    async def store(self, *events: Event) -> None:
        await store_events(self.postgres, timedelta(0), events)

    async def record(self, claim: Claim, end: End) -> None:
        await self.delivery.record([Finished(claim, Outcome(end))])


@pytest_asyncio.fixture
async def steps(rig: Rig, fresh_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Steps]:
    url = await fresh_database("notifier")
    await migrate(url, files("synctalk_notifier") / "migrations")
    settings = rig.settings.model_copy(
        update={"database_url": SecretStr(url), "push_backoff_s": 0.0001, "push_attempts": 3}
    )
    postgres, upstreams, redis = Postgres(settings), rig.clients(), RedisPipeline(settings.redis_url)
    assert settings.fcm_credentials_file is not None
    fcm = Fcm(settings.fcm_credentials_file, settings.fcm_url, settings.fcm_timeout_s)
    await postgres.open()
    yield Steps(postgres, settings, upstreams, Deliveries(redis), fcm)
    for resource in (fcm, redis, upstreams, postgres):
        await resource.close()


async def one_due(rig: Rig, steps: Steps) -> tuple[NotifierUser, Conversation]:
    """A message that is due to the one device of the user."""
    ada, bob = rig.user(), rig.user()
    await steps.devices.put(Principal(bob.id, bob.session_id, 0, "k"), "phone", "android", bob.id)
    conversation, created = rig.created(ada, bob)
    await steps.store(created, conversation.message(ada))
    await steps.scheduling.schedule_due()
    return bob, conversation


async def claim_one(steps: Steps) -> Claim:
    [claim] = await eventually(lambda: steps.delivery.claim_due(10))
    return claim


async def states(steps: Steps) -> list[tuple[str, str]]:
    async with steps.postgres.connection() as conn:
        return [(row["kind"], row["state"]) for row in await conn.fetch("select kind, state from pushes")]


async def test_claim__by_another_process__is_not_given_out_again(rig: Rig, steps: Steps) -> None:
    await one_due(rig, steps)
    assert not (await claim_one(steps)).maybe_sent
    assert await steps.delivery.claim_due(10) == []


async def test_claim__process_died_in_mid_sending__is_taken_over_after_its_lease(rig: Rig, steps: Steps) -> None:
    await one_due(rig, steps)
    await claim_one(steps.changed(push_lease_s=0))
    claim = await claim_one(steps)
    assert claim.maybe_sent
    assert claim.attempts == 2


async def test_taken_over__read_meanwhile__is_retracted_as_it_may_be_shown(rig: Rig, steps: Steps) -> None:
    bob, conversation = await one_due(rig, steps)
    await claim_one(steps.changed(push_lease_s=0))
    rig.upstreams.says(bob.id, conversation.id, read=True)
    assert await steps.delivery.resolve([await claim_one(steps)]) == []
    assert await states(steps) == [("retract", "waiting")]


async def test_no_answer__is_tried_again_as_maybe_sent(rig: Rig, steps: Steps) -> None:
    await one_due(rig, steps)
    await steps.record(await claim_one(steps), End.MAYBE)
    assert (await claim_one(steps)).maybe_sent


async def test_failing_for_ever__is_given_up_after_the_attempts(rig: Rig, steps: Steps) -> None:
    await one_due(rig, steps)
    for _ in range(3):
        await steps.record(await claim_one(steps), End.LATER)
    assert await states(steps) == []


async def test_refused__the_push_goes_and_the_device_stays(rig: Rig, steps: Steps) -> None:
    bob, _ = await one_due(rig, steps)
    await steps.record(await claim_one(steps), End.REFUSED)
    assert await states(steps) == []
    assert len(await steps.devices.list_of(Principal(bob.id, bob.session_id, 0, "k"))) == 1


async def test_gone__device_with_a_new_token_by_now__stays(rig: Rig, steps: Steps) -> None:
    bob, _ = await one_due(rig, steps)
    claim = await claim_one(steps)
    caller = Principal(bob.id, bob.session_id, 0, "k")
    await steps.devices.put(caller, "phone", "android", f"new-{bob.id}")
    await steps.record(claim, End.GONE)
    assert len(await steps.devices.list_of(caller)) == 1


async def test_upstreams_down__attempt_does_not_count(rig: Rig, steps: Steps) -> None:
    await one_due(rig, steps)
    rig.upstreams.down = True
    try:
        assert await steps.delivery.resolve([await claim_one(steps)]) == []
    finally:
        rig.upstreams.down = False
    async with steps.postgres.connection() as conn:
        rows = await conn.fetch("select state, attempts from pushes")
    assert [tuple(row) for row in rows] == [("waiting", 0)]


async def test_no_credentials__pushes_are_dropped(rig: Rig, steps: Steps) -> None:
    await one_due(rig, steps)
    off = replace(steps, fcm=None)
    assert await off.delivery.resolve([await claim_one(off)]) == []
    assert await states(steps) == []


async def test_read__recorded_as_sent_at_the_same_time__is_retracted(rig: Rig, steps: Steps) -> None:
    bob, conversation = await one_due(rig, steps)
    claim = await claim_one(steps)
    await steps.store(ReceiptRead(conversation_id=conversation.id, user_id=bob.id, read_seq=1))
    assert await states(steps) == [("message", "sending")]
    await steps.record(claim, End.SENT)
    assert await states(steps) == [("retract", "waiting")]
    retract = await claim_one(steps)
    assert (retract.kind, retract.maybe_sent) == ("retract", False)
    await steps.record(retract, End.SENT)
    assert await states(steps) == []


async def test_remove_old__what_is_old_goes__what_is_young_stays(rig: Rig, steps: Steps) -> None:
    await one_due(rig, steps)
    await steps.record(await claim_one(steps), End.SENT)
    await one_due(rig, steps)
    await remove_old(steps.postgres, steps.settings)
    assert sorted(await states(steps)) == [("message", "sent"), ("message", "waiting")]
    await remove_old(steps.postgres, steps.changed(sent_keep_s=0, push_max_age_s=0, incoming_keep_s=0).settings)
    assert await states(steps) == []
    async with steps.postgres.connection() as conn:
        assert await conn.fetchval("select count(*) from incoming_messages") == 0


async def test_schedule__repeated__makes_no_second_push(rig: Rig, steps: Steps) -> None:
    ada, bob = rig.user(), rig.user()
    await steps.devices.put(Principal(bob.id, bob.session_id, 0, "k"), "phone", "web", bob.id)
    conversation, created = rig.created(ada, bob)
    event = conversation.message(ada)
    await steps.store(created, event, event)
    await steps.store(event)
    while await steps.scheduling.schedule_due():
        pass
    assert await states(steps) == [("message", "waiting")]


async def due(steps: Steps) -> int:
    async with steps.postgres.connection() as conn:
        return int(await conn.fetchval("select count(*) from incoming_messages where due_at is not null"))


async def group_with_devices(rig: Rig, steps: Steps, size: int) -> list[NotifierUser]:
    """A message that is due to a group in which everybody but its sender has a device; these."""
    ada, *others = [rig.user() for _ in range(size)]
    for user in others:
        await steps.devices.put(Principal(user.id, user.session_id, 0, "k"), "phone", "android", user.id)
    conversation, created = rig.created(ada, *others)
    await steps.store(created, conversation.message(ada))
    return others


async def recipients(steps: Steps) -> list[str]:
    async with steps.postgres.connection() as conn:
        return sorted(row["user_id"] for row in await conn.fetch("select user_id from pushes"))


async def test_schedule__members_who_use_the_app__have_no_rows(rig: Rig, steps: Steps) -> None:
    here, away = await group_with_devices(rig, steps, 3)
    rig.upstreams.active.add(here.id)
    assert await steps.scheduling.schedule_due() == 1
    assert await recipients(steps) == [away.id]


async def test_schedule__more_members_than_one_read__reaches_each_once(
    rig: Rig, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "MEMBERS", 2)
    others = await group_with_devices(rig, steps, 6)
    await steps.scheduling.schedule_due()
    assert await recipients(steps) == sorted(user.id for user in others)


async def test_schedule__presence_down__message_is_due_again_and_pushed_then(rig: Rig, steps: Steps) -> None:
    [bob] = await group_with_devices(rig, steps, 2)
    rig.upstreams.down = True
    try:
        assert await steps.scheduling.schedule_due() == 0
    finally:
        rig.upstreams.down = False
    assert (await recipients(steps), await due(steps)) == ([], 1)

    async def pushed() -> bool:
        await steps.scheduling.schedule_due()
        return await recipients(steps) == [bob.id]

    await eventually(pushed)
    assert await due(steps) == 0


async def test_schedule__process_died_in_between__is_taken_over_and_completed(rig: Rig, steps: Steps) -> None:
    others = await group_with_devices(rig, steps, 3)
    now = utc_now()
    async with steps.postgres.connection() as conn:
        assert len(await incoming.claim_due(conn, now, now + timedelta(seconds=60), 5)) == 1
        assert await incoming.claim_due(conn, now, now + timedelta(seconds=60), 5) == []
        await conn.execute("update incoming_messages set claimed_until = now() - interval '1 second'")
    assert await steps.scheduling.schedule_due() == 1
    assert await recipients(steps) == sorted(user.id for user in others)


async def test_schedule__membership_arrives_while_it_is_claimed__message_stays_due(rig: Rig, steps: Steps) -> None:
    ada, bob = rig.user(), rig.user()
    conversation, created = rig.created(ada)
    event = conversation.message(ada)
    await steps.store(created, event)
    now = utc_now()
    async with steps.postgres.connection() as conn:
        claimed = await incoming.claim_due(conn, now, now + timedelta(seconds=60), 5)
        await incoming.make_due_again(conn, [conversation.id], utc_now())
        await incoming.finish(conn, claimed)
    assert await due(steps) == 1
    await steps.devices.put(Principal(bob.id, bob.session_id, 0, "k"), "phone", "android", bob.id)
    assert await steps.scheduling.schedule_due() == 1
    assert await due(steps) == 0


async def test_schedule__device_deleted_in_between__is_left_out(rig: Rig, steps: Steps) -> None:
    ada, bob = rig.user(), rig.user()
    push = NewPush(bob.id, "phone", rig.created(ada, bob)[0].id, 1, ada.id, None, "hello", None, False)
    async with steps.postgres.connection() as conn:
        await pushes.add(conn, [push], utc_now())
    assert await states(steps) == []
