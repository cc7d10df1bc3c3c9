"""Good tokens become principals without asking anybody, until their session or key ends."""

import time
from datetime import timedelta

import pytest
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.models import EndReason
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.tokens import KeySet, TokenVerifier
from synctalk_testkit.tokens import KeyServer, TokenMaker

from libs.runtime.tests.token_cases import AuthStub, is_refused, serve, verifier_of


async def test_verify__known_and_its_key_is_withdrawn__is_refused(token_maker: TokenMaker) -> None:
    auth, second = AuthStub(token_maker), TokenMaker()
    server, url = await serve(auth)
    async with server:
        verifier = TokenVerifier(KeySet(url), Revocations(), "synctalk", "synctalk")
        leaked = token_maker.mint()
        await verifier.verify(leaked)
        auth.keys = second.public_keys()
        await verifier.verify(second.mint())  # an unknown kid reads the keys anew

        assert await is_refused(verifier, leaked)
        assert leaked not in verifier._verified


async def test_verify__of_a_revoked_session__is_refused_at_once(token_maker: TokenMaker, key_server: KeyServer) -> None:
    revocations = Revocations()
    verifier, session_id = verifier_of(key_server, revocations), new_id()
    token = token_maker.mint(session_id=session_id)
    await verifier.verify(token)

    await revocations.add(
        SessionRevoked(
            session_id=session_id,
            user_id=new_id(),
            reason=EndReason.REVOKED,
            deny_until=utc_now() + timedelta(minutes=15),
        )
    )

    assert await is_refused(verifier, token)


async def test_verify__a_good_token__is_the_principal(token_maker: TokenMaker, key_server: KeyServer) -> None:
    user_id, session_id = new_id(), new_id()

    principal = await verifier_of(key_server).verify(token_maker.mint(user_id, session_id))

    assert (principal.user_id, principal.session_id, principal.kid) == (user_id, session_id, token_maker.kid)
    assert principal.expires_at == pytest.approx(time.time() + 900, abs=2)


async def test_verify__many_tokens__keeps_a_bounded_number(
    token_maker: TokenMaker, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenVerifier, "CACHE", 10)
    verifier = verifier_of(key_server)
    for _ in range(30):
        await verifier.verify(token_maker.mint())

    assert len(verifier._verified) == 10
