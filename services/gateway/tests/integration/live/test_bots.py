"""Bots on sockets, by tokens that auth is asked about; server keys, which belong on none."""

from typing import TYPE_CHECKING

import pytest
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.internal import KnownBot
from synctalk_contracts.models import EndReason
from synctalk_runtime.credentials import hash_of
from synctalk_runtime.ids import new_id, utc_now
from synctalk_testkit.clients import RefusedError

if TYPE_CHECKING:
    from services.gateway.tests.integration.live.conftest import Live

BOT, BOB = new_id(), new_id()


def known(live: "Live", token: str) -> KnownBot:
    """auth knows this token of the bot."""
    bot = KnownBot(user_id=BOT, session_id=new_id())
    live.upstreams.bots[hash_of(token)] = bot
    return bot


@pytest.mark.parametrize("token", ["stk_key", "stb_unknown", "stb_" + "x" * 500])
async def test_connect__with_a_server_key_or_an_unknown_bots_token__is_refused(live: "Live", token: str) -> None:
    live.upstreams.bots[hash_of("stk_key")] = KnownBot(user_id=BOT, session_id=new_id())
    with pytest.raises(RefusedError, match="unauthenticated"):
        await live.connect_with(token, reconnection=False)


async def test_bot__talks_as_a_user_and_presence_does_not_know_of_it(live: "Live") -> None:
    known(live, "stb_talks")
    group = live.upstreams.conversation(BOT, BOB)
    bot, bob = await live.connect_with("stb_talks"), await live.connect(BOB)
    assert bot.of("ready")[0]["user_id"] == BOT
    await bot.done("message:send", {"conversation_id": group, "client_message_id": "a", "body": "so"})
    await bot.done("activity", {"active": False})
    await live.upstreams.send(group, BOB)
    await bot.wait_for("message:new")

    assert bot.of("session:expiring") == []
    assert bob.of("ready")[0]["connection_id"] in live.upstreams.active
    assert bot.of("ready")[0]["connection_id"] not in live.upstreams.active


async def test_bot__its_token_ends__ends_the_socket(live: "Live") -> None:
    session_id = known(live, "stb_ends").session_id
    bot = await live.connect_with("stb_ends")
    revoked = SessionRevoked(session_id=session_id, user_id=BOT, reason=EndReason.REVOKED, deny_until=utc_now())
    await live.upstreams.publish(revoked)
    assert await bot.wait_for("session:ended") == {"reason": "revoked"}


async def test_bot__while_auth_does_not_answer__comes_back_and_an_unknown_one_is_asked_to_try_again(
    live: "Live",
) -> None:
    known(live, "stb_known")
    first = await live.connect_with("stb_known")
    live.upstreams.knows_bots = False
    try:
        await first.close()
        assert await live.connect_with("stb_known")
        with pytest.raises(RefusedError) as refused:
            await live.connect_with("stb_new", reconnection=False)
        assert "unauthenticated" not in str(refused.value)
    finally:
        live.upstreams.knows_bots = True
