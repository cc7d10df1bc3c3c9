"""Tokens whose claims are missing, wrong or out of time are refused."""

import time
from typing import Any

import pytest
from synctalk_runtime.errors import TokenExpiredError
from synctalk_testkit.tokens import KeyServer, TokenMaker

from libs.runtime.tests.token_cases import is_refused, verifier_of


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "iat", "exp", "jti"])
async def test_verify__a_claim_is_missing__is_refused(
    token_maker: TokenMaker, key_server: KeyServer, claim: str
) -> None:
    assert await is_refused(verifier_of(key_server), token_maker.mint(without=(claim,)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "other"},
        {"iss": "synctal"},
        {"aud": "other"},
        {"aud": ["synctalk"]},
        {"aud": ["synctalk", "other"]},
        {"sub": 7},
        {"sub": None},
        {"sid": 7},
        {"sid": ["a"]},
        {"iat": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"exp": "never"},
    ],
    ids=str,
)
async def test_verify__a_claim_is_wrong__is_refused(
    token_maker: TokenMaker, key_server: KeyServer, wrong: dict[str, Any]
) -> None:
    assert await is_refused(verifier_of(key_server), token_maker.mint(**wrong))


async def test_verify__issued_in_the_future__is_refused(token_maker: TokenMaker, key_server: KeyServer) -> None:
    ahead = int(time.time()) + 3600
    assert await is_refused(verifier_of(key_server), token_maker.mint(iat=ahead, exp=ahead + 400))


async def test_verify__expired__says_so(token_maker: TokenMaker, key_server: KeyServer) -> None:
    with pytest.raises(TokenExpiredError):
        await verifier_of(key_server).verify(token_maker.mint(lifetime_s=-6))


async def test_verify__expired_within_the_leeway__is_taken(token_maker: TokenMaker, key_server: KeyServer) -> None:
    await verifier_of(key_server).verify(token_maker.mint(lifetime_s=-2))


@pytest.mark.parametrize("lifetime_s", [3600, 910, 10 * 365 * 86_400])
async def test_verify__a_longer_life_than_auth_gives__is_refused(
    token_maker: TokenMaker, key_server: KeyServer, lifetime_s: float
) -> None:
    assert await is_refused(verifier_of(key_server), token_maker.mint(lifetime_s=lifetime_s))


async def test_verify__a_longer_life_by_its_beginning__is_refused(
    token_maker: TokenMaker, key_server: KeyServer
) -> None:
    hour_ago = int(time.time()) - 3600

    assert await is_refused(verifier_of(key_server), token_maker.mint(iat=hour_ago, lifetime_s=60))


async def test_verify__issued_by_a_clock_that_is_a_little_ahead__is_taken(
    token_maker: TokenMaker, key_server: KeyServer
) -> None:
    ahead = int(time.time()) + 3

    await verifier_of(key_server).verify(token_maker.mint(iat=ahead, exp=ahead + 900))


async def test_verify__expires_while_it_is_known__says_so(
    token_maker: TokenMaker, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier, token = verifier_of(key_server), token_maker.mint(lifetime_s=60)
    await verifier.verify(token)

    later = time.time() + 66
    monkeypatch.setattr("synctalk_runtime.tokens.time.time", lambda: later)

    with pytest.raises(TokenExpiredError):
        await verifier.verify(token)
