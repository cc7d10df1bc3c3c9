"""Live sockets end with what they came in by."""

import time
from typing import TYPE_CHECKING, Any, cast

import pytest
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.models import EndReason
from synctalk_gateway.actions.sessions import SessionEnds, TokenExpiry
from synctalk_gateway.hub.connection import Connection
from synctalk_runtime.errors import UnauthenticatedError
from synctalk_runtime.ids import utc_now

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import Clock, World

WARNING_S = 60


class Renewed:
    """In place of token verification: every token is a new one of this socket's session."""

    def __init__(self, connection: Connection) -> None:
        self.user_id, self.session_id = connection.user_id, connection.session_id
        self.expires_at, self.kid = connection.expires_at + 900, "new"

    async def verify(self, _: str) -> "Renewed":
        return self


def expiry(connection: Connection) -> TokenExpiry:
    return TokenExpiry(cast(Any, Renewed(connection)), WARNING_S)


def revoked(session_id: str) -> SessionRevoked:
    return SessionRevoked.model_construct(
        user_id="ada", session_id=session_id, reason=EndReason.LOGGED_OUT, deny_until=utc_now()
    )


def names(world: "World", connection: Connection) -> list[str]:
    return [name for name, _ in world.written(connection)]


async def test_withdraw__ends_the_sockets_whose_token_the_key_signed(world: "World") -> None:
    forged, honest = world.connect("ada", "c"), world.connect("ada", "c")
    forged.key_id, honest.key_id = "leaked", "new"
    SessionEnds(world.registry).withdraw(frozenset({"leaked", "older"}))

    assert world.written(forged) == [("session:ended", {"reason": "revoked"})]
    assert world.socket(forged).ended
    assert world.written(honest) == []


async def test_withdraw__a_socket_that_took_a_token_of_the_new_key__goes_on(world: "World") -> None:
    ada = world.connect("ada")
    ada.key_id = "leaked"

    await expiry(ada).renew(ada, "token")
    SessionEnds(world.registry).withdraw(frozenset({"leaked"}))

    assert not world.socket(ada).ended


async def test_revoke__ends_every_socket_of_the_session_and_no_other(world: "World") -> None:
    ended, beside, other = world.connect("ada"), world.connect("ada"), world.connect("ada")
    for connection in (ended, beside):
        world.registry.by_session["s"].add(connection)
    await SessionEnds(world.registry).revoke(revoked("s"))

    for connection in (ended, beside):
        assert world.written(connection) == [("session:ended", {"reason": "logged_out"})]
        assert world.socket(connection).ended
    assert not world.socket(other).ended


async def test_revoke__a_session_that_is_not_here__is_nothing(world: "World") -> None:
    await SessionEnds(world.registry).revoke(revoked("s"))

    assert world.registry.by_session == {}


async def test_expiry__warns_then_ends(world: "World", clock: "Clock", monkeypatch: pytest.MonkeyPatch) -> None:
    begun_at, unix = clock.now, time.time()
    monkeypatch.setattr(time, "time", lambda: unix + clock.now - begun_at)
    ada = world.connect("ada")
    ada.expires_at = unix + 100
    expiry(ada).schedule(ada)
    await clock.advance(39)
    assert names(world, ada) == []

    await clock.advance(1.5)
    assert names(world, ada) == ["session:expiring"]

    await clock.advance(58)
    assert not ada.closed

    await clock.advance(2)
    assert names(world, ada) == ["session:expiring", "session:ended"]
    assert world.written(ada)[-1][1] == {"reason": "expired"}
    assert ada.closed


async def test_expiry__renewed_after_the_warning__goes_on_and_is_warned_again(
    world: "World", clock: "Clock", monkeypatch: pytest.MonkeyPatch
) -> None:
    begun_at, unix = clock.now, time.time()
    monkeypatch.setattr(time, "time", lambda: unix + clock.now - begun_at)
    ada = world.connect("ada")
    ada.expires_at = unix + 100
    expiry(ada).schedule(ada)
    await clock.advance(50)
    await expiry(ada).renew(ada, "token")
    await clock.advance(800)
    assert names(world, ada) == ["session:expiring"]

    await clock.advance(100)
    assert names(world, ada) == ["session:expiring", "session:expiring"]


async def test_renew__with_a_token_of_another_session__changes_nothing(world: "World") -> None:
    ada, beside = world.connect("ada"), world.connect("ada")
    expires_at = ada.expires_at
    with pytest.raises(UnauthenticatedError):
        await expiry(beside).renew(ada, "token")

    assert (ada.expires_at, ada.key_id, ada.timer) == (expires_at, "", None)
