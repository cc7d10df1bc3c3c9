"""Whether somebody uses their devices: idle on all of them is away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from services.presence.tests.harness import Listen, Service, StartPresence


async def test_idle__on_the_only_device__is_away_and_back_with_one_event_each(
    presence: Service, listen: Listen, ada: str
) -> None:
    received = await listen(ada)
    laptop = await presence.connect(ada)
    await eventually(lambda: received.statuses(ada) == ["online"])
    for _ in range(3):
        await presence.use(ada, laptop, active=False)
    assert not await presence.is_active(ada)
    await eventually(lambda: received.statuses(ada) == ["online", "away"])
    for _ in range(3):
        await presence.use(ada, laptop, active=True)
    assert await presence.is_active(ada)
    await eventually(lambda: received.statuses(ada) == ["online", "away", "online"])
    await presence.set_own(ada, status="dnd")
    await eventually(lambda: received.statuses(ada) == ["online", "away", "online", "dnd"])


async def test_idle__on_one_of_two_devices__stays_online(presence: Service, listen: Listen, ada: str) -> None:
    received = await listen(ada)
    laptop, phone = await presence.connect(ada), await presence.connect(ada)
    await eventually(lambda: received.statuses(ada) == ["online"])
    await presence.use(ada, laptop, active=False)
    assert await presence.is_active(ada)
    await presence.use(ada, phone, active=False)
    assert not await presence.is_active(ada)
    await eventually(lambda: received.statuses(ada) == ["online", "away"])


async def test_active_device__closed__the_idle_one_is_away_after_the_grace(
    presence: Service, listen: Listen, ada: str
) -> None:
    received = await listen(ada)
    laptop, phone = await presence.connect(ada), await presence.connect(ada)
    await eventually(lambda: received.statuses(ada) == ["online"])
    await presence.use(ada, laptop, active=False)
    await presence.disconnect(ada, phone)
    assert not await presence.is_active(ada)
    assert await presence.status_of(ada, ada) == "online"
    await eventually(lambda: received.statuses(ada) == ["online", "away"])


async def test_active_device__reconnects_within_the_grace__is_no_event(
    presence: Service, listen: Listen, ada: str
) -> None:
    received = await listen(ada)
    laptop, phone = await presence.connect(ada), await presence.connect(ada)
    await eventually(lambda: received.statuses(ada) == ["online"])
    await presence.use(ada, laptop, active=False)
    for _ in range(3):
        await presence.disconnect(ada, phone)
        phone = await presence.connect(ada)
    await presence.set_own(ada, status="dnd")
    await eventually(lambda: received.statuses(ada) == ["online", "dnd"])


@pytest.mark.parametrize(("status", "shown"), [("dnd", "dnd"), ("invisible", "offline"), ("away", "away")])
async def test_idle__of_who_chose_another_status__shows_that(
    presence: Service, listen: Listen, ada: str, status: str, shown: str
) -> None:
    received = await listen(ada)
    laptop = await presence.connect(ada)
    await eventually(lambda: received.statuses(ada) == ["online"])
    await presence.set_own(ada, status=status)
    await presence.use(ada, laptop, active=False)
    assert not await presence.is_active(ada)
    await presence.set_own(ada, custom_status="last")
    await eventually(lambda: [event.own.custom_status for event in received.of(ada)][-1:] == ["last"])
    assert received.statuses(ada)[:2] == ["online", shown]
    assert set(received.statuses(ada)) == {"online", shown}


async def test_idle__then_gone__comes_back_online(presence: Service, listen: Listen, ada: str) -> None:
    received = await listen(ada)
    laptop = await presence.connect(ada)
    await eventually(lambda: received.statuses(ada) == ["online"])
    await presence.use(ada, laptop, active=False)
    await eventually(lambda: received.statuses(ada) == ["online", "away"])
    await presence.disconnect(ada, laptop)
    await eventually(lambda: received.statuses(ada) == ["online", "away", "offline"])
    await presence.connect(ada)
    await eventually(lambda: received.statuses(ada) == ["online", "away", "offline", "online"])


async def test_activity__that_flaps_through_two_processes__ends_as_last_reported(
    start_presence: StartPresence, listen: Listen, ada: str
) -> None:
    services = [await start_presence(), await start_presence(instance="presence-2")]
    received = await listen(ada)
    devices = [await services[n].connect(ada) for n in range(2)]
    for _ in range(20):
        await asyncio.gather(*(services[n].use(ada, devices[n], active=n == 0) for n in range(2)))
        await asyncio.gather(*(services[n].use(ada, devices[n], active=n == 1) for n in range(2)))
    for service, device in zip(services, devices, strict=True):
        await service.use(ada, device, active=False)
    await eventually(lambda: received.statuses(ada)[-1] == "away")
    assert await services[0].status_of(ada, ada) == "away"


async def test_redis__that_forgets__an_idle_device_received_first_does_not_seem_to_be_the_only_one(
    start_presence: StartPresence, listen: Listen, redis: Redis, ada: str
) -> None:
    presence = await start_presence()
    received = await listen(ada)
    laptop, phone = await presence.connect(ada), await presence.connect(ada)
    await eventually(lambda: received.statuses(ada) == ["online"])
    await presence.use(ada, laptop, active=False)
    await redis.flushall()
    for _ in range(5):
        await presence.use(ada, laptop, active=False)
    await presence.use(ada, phone, active=True)
    await presence.set_own(ada, status="dnd")
    await eventually(lambda: received.statuses(ada) == ["online", "dnd"])
