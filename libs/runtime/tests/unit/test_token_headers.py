"""Whatever a token or its header looks like, it is refused and nothing worse happens."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from synctalk_testkit.tokens import KeyServer, TokenMaker

from libs.runtime.tests.token_cases import claims, encoded, is_refused, verifier_of


@pytest.mark.parametrize(
    "kid", [None, 7, True, ["a"], {"a": 1}, "", "unknown", "../../etc/passwd", "x" * 6000, "' or 1"]
)
async def test_verify__an_odd_or_unknown_kid__is_refused(
    token_maker: TokenMaker, key_server: KeyServer, kid: Any
) -> None:
    signed = f"{encoded({'alg': 'ES256', 'kid': kid})}.{encoded(claims())}"

    assert await is_refused(verifier_of(key_server), f"{signed}.{encoded(b'0' * 64)}")


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b.c", "a" * 9000, "é.é.é", "\ud800", "a\0b", "[]..", encoded([]) + ".e30.AAAA",
     encoded(b"[" * 5000) + ".e30.AAAA", encoded(b'{"a":' * 1000) + ".e30.AAAA", "e30.e30.AAAA",
     encoded(b"\xff") + ".e30.AAAA"],
    ids=lambda token: ascii(token[:12]),
)  # fmt: skip
async def test_verify__no_token_at_all__is_refused(key_server: KeyServer, token: str) -> None:
    assert await is_refused(verifier_of(key_server), token)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
_HEADERS = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x5c", "enc", "zip"]), _JSON)


async def test_verify__any_header__is_refused_and_nothing_worse(token_maker: TokenMaker, key_server: KeyServer) -> None:
    verifier = verifier_of(key_server)
    _, payload, signature = token_maker.mint().split(".")
    headers: list[Any] = []

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_HEADERS, st.booleans())
    def collect(header: dict[str, Any], as_ours: bool) -> None:
        headers.append(header | ({"kid": token_maker.kid, "alg": "ES256"} if as_ours else {}))

    collect()
    for header in headers:
        assert await is_refused(verifier, f"{encoded(header)}.{payload}.{signature}")
