"""Tokens of the testkit are what services accept."""

import aiohttp
import jwt
from synctalk_testkit.tokens import KeyServer, TokenMaker


async def test_mint__verified_by_the_served_keys__holds_all_claims(
    token_maker: TokenMaker, key_server: KeyServer
) -> None:
    token = token_maker.mint("ada", "session-1")

    async with aiohttp.ClientSession() as http, http.get(f"{key_server.url}/.well-known/jwks.json") as answer:
        keys = jwt.PyJWKSet.from_dict(await answer.json())
    claims = jwt.decode(token, keys[token_maker.kid], algorithms=["ES256"], audience="synctalk", issuer="synctalk")

    assert (claims["sub"], claims["sid"]) == ("ada", "session-1")
    assert set(claims) == {"iss", "aud", "sub", "sid", "iat", "exp", "jti"}


def test_mint__without_a_claim__leaves_it_out(token_maker: TokenMaker) -> None:
    token = token_maker.mint(without=("sid",))

    assert "sid" not in jwt.decode(token, options={"verify_signature": False})
