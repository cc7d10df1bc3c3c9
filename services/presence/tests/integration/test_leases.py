"""Connections: who comes, who goes, who only seemed to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from synctalk_runtime.ids import new_id, utc_now
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.presence.tests.harness import ApiStub, Listen, Service, StartPresence


async def test_first_connection__of_a_user__is_online_at_once_and_said_once(
    presence: Service, api: ApiStub, listen: Listen, ada: str, ben: str
) -> None:
    api.befriend(ada, ben)
    received = await listen(ada)
    await presence.connect(ada)
    assert await presence.status_of(ben, ada) == "online"
    await eventually(lambda: received.statuses(ada) == ["online"])


async def test_last_connection__closed__is_offline_after_the_grace_with_last_seen(
    presence: Service, api: ApiStub, listen: Listen, ada: str, ben: str
) -> None:
    api.befriend(ada, ben)
    received = await listen(ada)
    connection = await presence.connect(ada)
    before = utc_now()
    await presence.disconnect(ada, connection)
    assert await presence.status_of(ben, ada) == "online"
    await eventually(lambda: received.statuses(ada) == ["online", "offline"])
    seen = received.of(ada)[-1].shown.last_seen_at
    assert seen is not None
    assert before <= seen <= utc_now()
    assert (await presence.look(ben, ada))[0]["status"] == "offline"


async def test_reconnect__within_the_grace__is_no_event(presence: Service, listen: Listen, ada: str) -> None:
    received = await listen(ada)
    for _ in range(5):
        connection = await presence.connect(ada)
        await presence.disconnect(ada, connection)
    await presence.connect(ada)
    await presence.set_own(ada, status="dnd")
    await eventually(lambda: received.statuses(ada) == ["online", "dnd"])


async def test_devices__several__are_offline_with_the_last(presence: Service, listen: Listen, ada: str) -> None:
    received = await listen(ada)
    phone, laptop = await presence.connect(ada), await presence.connect(ada)
    await presence.disconnect(ada, phone)
    await presence.set_own(ada, status="away")
    await eventually(lambda: received.statuses(ada) == ["online", "away"])
    await presence.disconnect(ada, laptop)
    await eventually(lambda: received.statuses(ada) == ["online", "away", "offline"])


async def test_connections__many_at_once_through_two_processes__are_one_event(
    start_presence: StartPresence, listen: Listen, ada: str
) -> None:
    received = await listen(ada)
    services = [await start_presence(), await start_presence(instance="presence-2")]
    await asyncio.gather(*(services[n % 2].connect(ada) for n in range(20)))
    await services[0].set_own(ada, status="dnd")
    await eventually(lambda: received.statuses(ada) == ["online", "dnd"])


async def test_gateway__that_dies__its_users_are_offline_once_their_leases_end(
    start_presence: StartPresence, listen: Listen, ada: str, ben: str
) -> None:
    received = await listen(ada, ben)
    services = [await start_presence(), await start_presence(instance="presence-2")]
    started = utc_now()
    await services[0].report(held=[(ada, "1-a"), (ben, "1-b")])

    def both_gone() -> bool:
        return all(received.statuses(user_id) == ["online", "offline"] for user_id in (ada, ben))

    staying = asyncio.create_task(_renew(services[0], new_id()))
    await eventually(both_gone)
    staying.cancel()
    seen = received.of(ada)[-1].shown.last_seen_at
    assert seen is not None
    assert abs((seen - started).total_seconds()) < 1, "last seen is the last renewal, not the lease's end"


async def test_renewals__keep_a_user_online(presence: Service, listen: Listen, ada: str) -> None:
    received = await listen(ada)
    renewing = asyncio.create_task(_renew(presence, ada))
    unrelated = new_id()
    others = await listen(unrelated)
    await presence.connect(unrelated)
    await eventually(lambda: others.statuses(unrelated) == ["online", "offline"])  # a whole lease time has passed
    assert received.statuses(ada) == ["online"]
    renewing.cancel()


async def _renew(service: Service, user_id: str) -> None:
    while True:
        await service.report(held=[(user_id, "1-steady")])
        await asyncio.sleep(0.3)


async def test_report__repeated__changes_nothing(presence: Service, listen: Listen, ada: str) -> None:
    received = await listen(ada)
    for _ in range(3):
        await presence.report(held=[(ada, "1-a")])
    for _ in range(3):
        await presence.report(released=[(ada, "1-a")])
    await eventually(lambda: received.statuses(ada) == ["online", "offline"])
    await presence.report(released=[(ada, "1-a")])
    await presence.connect(ada)
    await eventually(lambda: received.statuses(ada) == ["online", "offline", "online"])


async def test_renewal__that_comes_after_the_close__does_not_bring_it_back(
    presence: Service, api: ApiStub, listen: Listen, ada: str, ben: str
) -> None:
    api.befriend(ada, ben)
    received = await listen(ada)
    await presence.report(held=[(ada, "1-a")])
    await presence.report(released=[(ada, "1-a")])
    await presence.report(held=[(ada, "1-a")])
    await eventually(lambda: received.statuses(ada) == ["online", "offline"], timeout=2)


async def test_report__of_many_users__is_one_call(presence: Service, listen: Listen) -> None:
    users = [new_id() for _ in range(1000)]
    received = await listen(*users)
    response = await presence.report(held=[(user_id, f"1-{user_id}") for user_id in users])
    assert response.status == 204
    await presence.report(released=[(user_id, f"1-{user_id}") for user_id in users])
    await eventually(lambda: all(received.statuses(user_id) == ["online", "offline"] for user_id in users))


async def test_leaving__with_four_processes_sweeping__is_said_once(
    start_presence: StartPresence, listen: Listen
) -> None:
    users = [new_id() for _ in range(50)]
    received = await listen(*users)
    services = [await start_presence(instance=f"presence-{n}", sweep_interval_s=0.01) for n in range(4)]
    await services[0].report(held=[(user_id, user_id) for user_id in users])
    await services[1].report(released=[(user_id, user_id) for user_id in users])
    await eventually(lambda: all(received.statuses(user_id)[-1:] == ["offline"] for user_id in users))
    await services[2].report(held=[(user_id, f"again-{user_id}") for user_id in users])
    await eventually(lambda: all(received.statuses(user_id) == ["online", "offline", "online"] for user_id in users))
