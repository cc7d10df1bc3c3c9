"""What auth says on the bus: soon, and in the transaction that makes it true."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from synctalk_contracts.envelope import Event
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.events.users import ErasureRequested, UserDeactivated, UserReactivated, UserRegistered
from synctalk_contracts.models import EraseMode
from synctalk_runtime.bus import Bus
from synctalk_testkit.eventually import eventually

from services.auth.tests.harness import PASSWORD, Auth


@dataclass
class Received:
    registered: list[UserRegistered] = field(default_factory=list)
    revoked: list[SessionRevoked] = field(default_factory=list)
    ended: list[Event] = field(default_factory=list)

    def reasons(self, session_id: str) -> list[str]:
        return [event.reason.value for event in self.revoked if event.session_id == session_id]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def received(auth: Auth) -> AsyncIterator[Received]:
    """All that auth says, from now on."""
    received = Received()
    bus = Bus(auth.settings.rabbitmq_url, "test")

    async def registered(events: list[UserRegistered]) -> None:
        received.registered += events

    async def revoked(events: list[SessionRevoked]) -> None:
        received.revoked += events

    async def ended(events: Sequence[Event]) -> None:
        received.ended += events

    bus.listen(UserDeactivated, ended)
    bus.listen(UserReactivated, ended)
    bus.listen(ErasureRequested, ended)
    bus.listen(UserRegistered, registered)
    bus.listen(SessionRevoked, revoked)
    await bus.start()

    async def connected() -> bool:
        try:
            await bus.check()
        except ConnectionError:
            return False
        return True

    await eventually(connected)
    yield received
    await bus.stop()


async def test_register__refused__says_nothing(auth: Auth, received: Received) -> None:
    tokens = await auth.register()
    await auth.post("/v1/auth/register", {"username": tokens["user"]["username"], "password": PASSWORD})
    last = await auth.register()

    await eventually(lambda: last["user"]["id"] in [event.user.id for event in received.registered])
    names = [event.user.username for event in received.registered]
    assert names.count(tokens["user"]["username"]) == 1


async def test_register__well__says_who(auth: Auth, received: Received) -> None:
    tokens = await auth.register(display_name="Ada")
    await eventually(lambda: tokens["user"] in [event.user.model_dump() for event in received.registered])


@pytest.mark.parametrize("reason", ["logged_out", "revoked", "password_changed", "refresh_reused"])
async def test_session__ended__is_published_once(auth: Auth, received: Received, reason: str) -> None:
    mine = await auth.register()
    other = (await auth.login(mine["user"]["username"])).body
    token = mine["access_token"]
    if reason == "logged_out":
        await auth.post("/v1/auth/logout", token=other["access_token"])
    elif reason == "revoked":
        for _ in range(2):
            await auth.call("DELETE", f"/v1/auth/sessions/{other['session_id']}", token=token)
    elif reason == "password_changed":
        change = {"current_password": PASSWORD, "new_password": "amber-lantern-77"}
        await auth.post("/v1/auth/password", change, token=token)
    else:
        second = (await auth.refresh(other["refresh_token"])).body
        await auth.refresh(second["refresh_token"])
        for _ in range(2):
            await auth.refresh(other["refresh_token"])

    await eventually(lambda: received.reasons(other["session_id"]))
    await auth.post("/v1/auth/logout", token=token)
    await eventually(lambda: received.reasons(mine["session_id"]))
    assert received.reasons(other["session_id"]) == [reason]
    assert received.reasons(mine["session_id"]) == ["logged_out"]


async def test_session__ended__its_event_holds_until_no_token_can_live(auth: Auth, received: Received) -> None:
    tokens = await auth.register()
    await auth.post("/v1/auth/logout", token=tokens["access_token"])

    [event] = await eventually(lambda: [e for e in received.revoked if e.session_id == tokens["session_id"]])

    rows = await auth.sql("select revoked_at from sessions where id = $1::text::uuid", tokens["session_id"])
    assert event.user_id == tokens["user"]["id"]
    assert (event.deny_until - rows[0]["revoked_at"]).total_seconds() > auth.settings.access_token_ttl_s + 5


async def test_user__ended_brought_back_and_erased__is_published_once_each(auth: Auth, received: Received) -> None:
    users = auth.services.server_users
    user, _ = await users.put("of-events", {"display_name": "Ada"})
    tokens = await users.open_session("of-events")
    for erase in (None, None):
        await users.remove("of-events", erase)
    await users.put("of-events", {})
    for erase in (EraseMode.AUTHOR, EraseMode.AUTHOR):
        await users.remove("of-events", erase)

    await eventually(lambda: len(received.ended) >= 4)
    deactivated = UserDeactivated(user_id=user.id, external_id="of-events")
    assert received.ended.count(deactivated) == 2
    assert received.ended.count(UserReactivated(user_id=user.id, external_id="of-events")) == 1
    [erasure] = [event for event in received.ended if isinstance(event, ErasureRequested)]
    assert (erasure.mode, erasure.user.display_name) == (EraseMode.AUTHOR, "Deleted user")
    assert received.reasons(tokens.session_id) == ["revoked"]
    [registered] = [event for event in received.registered if event.user.id == user.id]
    assert registered.external_id == "of-events"


async def test_bot__ended__is_published_as_deactivated(auth: Auth, received: Received) -> None:
    bot, _ = await auth.services.bots.create("bot-of-events", "Helper")
    await auth.services.bots.remove(bot.id)
    await eventually(lambda: UserDeactivated(user_id=bot.id) in received.ended)
