"""The deny-list while things are away: a revocation is known as long as auth answers, or the bus brings it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from synctalk_contracts import topology
from synctalk_contracts.envelope import Envelope, write_envelopes
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.internal import RevocationPage
from synctalk_contracts.models import EndReason
from synctalk_runtime import revocations as module
from synctalk_runtime.bus import Bus
from synctalk_runtime.errors import UnauthenticatedError, UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.internal import Credential, InternalClient
from synctalk_runtime.revocations import PATH, Revocations
from synctalk_runtime.tokens import KeySet, TokenVerifier
from synctalk_testkit.eventually import eventually
from synctalk_testkit.tokens import JWKS_PATH, KeyServer, TokenMaker

NOWHERE = "amqp://127.0.0.1:1/"
MakeBus = Callable[[str], Bus]


def revoked() -> SessionRevoked:
    deny_until = utc_now() + timedelta(minutes=15)
    return SessionRevoked(session_id=new_id(), user_id=new_id(), reason=EndReason.REVOKED, deny_until=deny_until)


@dataclass
class Auth:
    """Answers the question for revocations: all of them without a cursor, those since with one."""

    url: str = ""
    events: list[SessionRevoked] = field(default_factory=list)
    broken: bytes | None = None
    asked: list[str | None] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        cursor = request.query.get("cursor")
        self.asked.append(cursor)
        if self.broken is not None:
            return web.Response(body=self.broken, status=200 if self.broken else 503)
        page = RevocationPage(items=self.events[int(cursor or 0) :], cursor=str(len(self.events)))
        return web.json_response(page.model_dump(mode="json") | {"later_field": 1})


@pytest.fixture
async def auth() -> AsyncIterator[Auth]:
    auth, app = Auth(), web.Application()
    app.router.add_get(PATH, auth.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    auth.url = site.name.replace(":0", f":{runner.addresses[0][1]}")
    yield auth
    await runner.cleanup()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_S", 0.02)


@asynccontextmanager
async def following(bus: Bus, auth: Auth, **given: Any) -> AsyncIterator[Revocations]:
    client, revocations = InternalClient(auth.url, Credential("api", "a secret of sixteen")), Revocations(**given)
    revocations.follow(bus, client)
    await revocations.start()
    await bus.start()
    try:
        yield revocations
    finally:
        await bus.stop()
        await revocations.stop()
        await client.close()


async def is_receiving(bus: Bus) -> bool:
    try:
        await bus.check()
    except (ConnectionError, UnavailableError):
        return False
    return True


async def is_ready(revocations: Revocations) -> bool:
    try:
        await revocations.ready()
    except UnavailableError:
        return False
    return True


async def test_follow__the_bus_is_away__revocations_are_known_and_reported(auth: Auth, make_bus: MakeBus) -> None:
    reported: list[str] = []

    async def report(event: SessionRevoked) -> None:
        reported.append(event.session_id)

    before, later = revoked(), revoked()
    auth.events.append(before)
    async with following(make_bus(NOWHERE), auth, on_revoked=report) as revocations:
        await eventually(lambda: is_ready(revocations))
        assert revocations.is_revoked(before.session_id)

        auth.events.append(later)
        await eventually(lambda: revocations.is_revoked(later.session_id))

    assert reported == [before.session_id, later.session_id]
    assert auth.asked[:2] == [None, "1"]


async def test_follow__never_read__verifies_nobody_and_then_all_but_the_revoked(
    auth: Auth, make_bus: MakeBus, token_maker: TokenMaker, key_server: KeyServer
) -> None:
    auth.broken, ended = b"", revoked()
    auth.events.append(ended)
    of_ended, of_another = token_maker.mint(session_id=ended.session_id), token_maker.mint()
    async with following(make_bus(NOWHERE), auth) as revocations:
        verifier = TokenVerifier(KeySet(key_server.url + JWKS_PATH), revocations, "synctalk", "synctalk")
        await eventually(lambda: len(auth.asked) > 2)
        for token in (of_ended, of_another):
            with pytest.raises(UnavailableError):
                await verifier.verify(token)

        auth.broken = None
        await eventually(lambda: is_ready(revocations))
        await verifier.verify(of_another)
        with pytest.raises(UnauthenticatedError):
            await verifier.verify(of_ended)


@pytest.mark.parametrize("nonsense", [b"[]", b"{}", b"<html>", b'{"items": [{}], "cursor": "1"}'])
async def test_follow__auth_answers_nonsense__asks_again_for_all(
    auth: Auth, make_bus: MakeBus, nonsense: bytes
) -> None:
    auth.broken = nonsense
    async with following(make_bus(NOWHERE), auth) as revocations:
        await eventually(lambda: len(auth.asked) > 1)
        assert not await is_ready(revocations)
        auth.broken = None
        await eventually(lambda: is_ready(revocations))

    assert "1" not in auth.asked


async def test_follow__reporting_fails__is_reported_again(auth: Auth, make_bus: MakeBus) -> None:
    tries = 0

    async def report(_: SessionRevoked) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ConnectionError

    auth.events.append(revoked())
    async with following(make_bus(NOWHERE), auth, on_revoked=report) as revocations:
        await eventually(lambda: is_ready(revocations))

    assert tries == 3


async def test_follow__neither_bus_nor_auth_for_too_long__fails_closed_until_one_is_back(
    auth: Auth, make_bus: MakeBus
) -> None:
    async with (
        following(make_bus(NOWHERE), auth, fail_closed_s=0.3) as closing,
        following(make_bus(NOWHERE), auth) as open_,
    ):
        for revocations in (closing, open_):
            await eventually(lambda r=revocations: is_ready(r))  # type: ignore[misc]
        auth.broken = b""

        await eventually(lambda: _is_closed(closing))
        assert await is_ready(open_)

        auth.broken = None
        await eventually(lambda: is_ready(closing))


async def _is_closed(revocations: Revocations) -> bool:
    return not await is_ready(revocations)


async def test_follow__auth_is_away_and_the_bus_is_not__stays_ready_and_receives(
    auth: Auth, make_bus: MakeBus, vhost: str
) -> None:
    bus = make_bus(vhost)
    async with following(bus, auth, fail_closed_s=0.1) as revocations:
        await eventually(lambda: is_receiving(bus), 30)
        await eventually(lambda: is_ready(revocations))
        auth.broken, event = b"", revoked()
        envelope = Envelope(
            id=new_id(), type=SessionRevoked.type_name(), time=utc_now(), payload=event.model_dump(mode="json")
        )
        await bus.publish(topology.EVENTS_EXCHANGE, SessionRevoked.type_name(), write_envelopes([envelope]))

        await eventually(lambda: revocations.is_revoked(event.session_id))
        assert await is_ready(revocations)


async def test_follow__the_bus_stands_and_brings_nothing__auth_is_asked_all_the_same(
    auth: Auth, make_bus: MakeBus, vhost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL_BESIDE_BUS_S", 0.1)
    bus = make_bus(vhost)
    async with following(bus, auth) as revocations:
        await eventually(lambda: is_receiving(bus), 30)
        await eventually(lambda: is_ready(revocations))
        event = revoked()
        auth.events.append(event)

        await eventually(lambda: revocations.is_revoked(event.session_id))
