"""What is hard to bring about from outside: crashes in mid-sending, endless failure, old age, no credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest_asyncio
from pydantic import SecretStr
from synctalk_contracts.events.receipts import ReceiptRead
from synctalk_notifier.actions import decide, deliver, devices, sweep
from synctalk_notifier.actions.hear import hear
from synctalk_notifier.clients.outcomes import End, Outcome
from synctalk_notifier.parts import Parts
from synctalk_notifier.store.pushes import Claim
from synctalk_runtime.migrate import migrate
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.tokens import Person as Caller
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.notifier.tests.integration.conftest import Conversation, Person, Rig


@pytest_asyncio.fixture
async def parts(rig: Rig, fresh_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Parts]:
    """Those of a notifier whose sender does not run: the test does each step by itself."""
    url = await fresh_database("notifier")
    await migrate(url, files("synctalk_notifier") / "migrations")
    running: Parts = rig.app.state.parts
    settings = running.settings.model_copy(
        update={"database_url": SecretStr(url), "push_hold_s": 0, "push_backoff_s": 0.0001, "push_attempts": 3}
    )
    postgres = Postgres(settings)
    await postgres.open()
    yield replace(running, settings=settings, postgres=postgres)
    await postgres.close()


def with_settings(parts: Parts, **changes: Any) -> Parts:
    return replace(parts, settings=parts.settings.model_copy(update=changes))


async def one_due(rig: Rig, parts: Parts) -> tuple[Person, Conversation]:
    """A message that is due to the one device of the person."""
    ada, bob = rig.person(), rig.person()
    await devices.put(parts, Caller(bob.id, bob.session_id, 0), "phone", "android", bob.id)
    conversation, created = rig.created(ada, bob)
    await hear(parts, [created, conversation.message(ada)])
    await decide.decide(parts)
    return bob, conversation


async def claim_one(parts: Parts) -> Claim:
    [claim] = await eventually(lambda: deliver.claim_due(parts, 10))
    return claim


async def states(parts: Parts) -> list[tuple[str, str]]:
    async with parts.postgres.connection() as conn:
        return [(row["kind"], row["state"]) for row in await conn.fetch("select kind, state from pushes")]


async def test_claim__by_another_process__is_not_given_out_again(rig: Rig, parts: Parts) -> None:
    await one_due(rig, parts)
    assert not (await claim_one(parts)).maybe_sent
    assert await deliver.claim_due(parts, 10) == []


async def test_claim__process_died_in_mid_sending__is_taken_over_after_its_lease(rig: Rig, parts: Parts) -> None:
    await one_due(rig, parts)
    await claim_one(with_settings(parts, push_lease_s=0))
    claim = await claim_one(parts)
    assert claim.maybe_sent
    assert claim.attempts == 2


async def test_taken_over__read_meanwhile__is_retracted_as_it_may_be_shown(rig: Rig, parts: Parts) -> None:
    bob, conversation = await one_due(rig, parts)
    await claim_one(with_settings(parts, push_lease_s=0))
    rig.neighbours.says(bob.id, conversation.id, read=True)
    assert await deliver.choose(parts, [await claim_one(parts)]) == []
    assert await states(parts) == [("retract", "waiting")]


async def test_no_answer__is_tried_again_as_maybe_sent(rig: Rig, parts: Parts) -> None:
    await one_due(rig, parts)
    await deliver.record(parts, [deliver.Finished(await claim_one(parts), Outcome(End.MAYBE))])
    assert (await claim_one(parts)).maybe_sent


async def test_failing_for_ever__is_given_up_after_the_attempts(rig: Rig, parts: Parts) -> None:
    await one_due(rig, parts)
    for _ in range(3):
        await deliver.record(parts, [deliver.Finished(await claim_one(parts), Outcome(End.LATER))])
    assert await states(parts) == []


async def test_refused__the_push_goes_and_the_device_stays(rig: Rig, parts: Parts) -> None:
    bob, _ = await one_due(rig, parts)
    await deliver.record(parts, [deliver.Finished(await claim_one(parts), Outcome(End.REFUSED))])
    assert await states(parts) == []
    assert len(await devices.list_own(parts, Caller(bob.id, bob.session_id, 0))) == 1


async def test_gone__device_with_a_new_token_by_now__stays(rig: Rig, parts: Parts) -> None:
    bob, _ = await one_due(rig, parts)
    claim = await claim_one(parts)
    caller = Caller(bob.id, bob.session_id, 0)
    await devices.put(parts, caller, "phone", "android", f"new-{bob.id}")
    await deliver.record(parts, [deliver.Finished(claim, Outcome(End.GONE))])
    assert len(await devices.list_own(parts, caller)) == 1


async def test_neighbours_down__try_is_forgiven(rig: Rig, parts: Parts) -> None:
    await one_due(rig, parts)
    rig.neighbours.down = True
    try:
        assert await deliver.choose(parts, [await claim_one(parts)]) == []
    finally:
        rig.neighbours.down = False
    async with parts.postgres.connection() as conn:
        rows = await conn.fetch("select state, attempts from pushes")
    assert [tuple(row) for row in rows] == [("waiting", 0)]


async def test_no_credentials__pushes_are_dropped(rig: Rig, parts: Parts) -> None:
    await one_due(rig, parts)
    off = replace(parts, fcm=None)
    assert await deliver.choose(off, [await claim_one(off)]) == []
    assert await states(parts) == []


async def test_read__recorded_as_sent_at_the_same_time__is_retracted(rig: Rig, parts: Parts) -> None:
    bob, conversation = await one_due(rig, parts)
    claim = await claim_one(parts)
    await hear(parts, [ReceiptRead(conversation_id=conversation.id, user_id=bob.id, read_seq=1)])
    assert await states(parts) == [("message", "sending")]
    await deliver.record(parts, [deliver.Finished(claim, Outcome(End.SENT))])
    assert await states(parts) == [("retract", "waiting")]
    retract = await claim_one(parts)
    assert (retract.kind, retract.maybe_sent) == ("retract", False)
    await deliver.record(parts, [deliver.Finished(retract, Outcome(End.SENT))])
    assert await states(parts) == []


async def test_sweep__what_is_old_goes__what_is_young_stays(rig: Rig, parts: Parts) -> None:
    await one_due(rig, parts)
    await deliver.record(parts, [deliver.Finished(await claim_one(parts), Outcome(End.SENT))])
    await one_due(rig, parts)
    await sweep.sweep(parts)
    assert sorted(await states(parts)) == [("message", "sent"), ("message", "waiting")]
    await sweep.sweep(with_settings(parts, sent_keep_s=0, push_max_age_s=0, heard_keep_s=0))
    assert await states(parts) == []
    async with parts.postgres.connection() as conn:
        assert await conn.fetchval("select count(*) from heard") == 0


async def test_decide__repeated__makes_no_second_push(rig: Rig, parts: Parts) -> None:
    ada, bob = rig.person(), rig.person()
    await devices.put(parts, Caller(bob.id, bob.session_id, 0), "phone", "web", bob.id)
    conversation, created = rig.created(ada, bob)
    event = conversation.message(ada)
    await hear(parts, [created, event, event])
    await hear(parts, [event])
    while await decide.decide(parts):
        pass
    assert await states(parts) == [("message", "waiting")]
