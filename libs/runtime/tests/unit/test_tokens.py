"""Who may not come in (RFC 8725), and that those who may do so without asking anybody."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.models import EndReason
from synctalk_runtime import tokens
from synctalk_runtime.errors import TokenExpiredError, UnauthenticatedError, UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.tokens import KeySet, TokenVerifier
from synctalk_testkit.ports import free_port
from synctalk_testkit.tokens import JWKS_PATH, KeyServer, TokenMaker


def _verifier(key_server: KeyServer, revocations: Revocations | None = None) -> TokenVerifier:
    return TokenVerifier(KeySet(key_server.url + JWKS_PATH), revocations or Revocations(), "synctalk", "synctalk")


def _part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": "synctalk",
        "aud": "synctalk",
        "sub": new_id(),
        "sid": new_id(),
        "iat": now,
        "exp": now + 900,
        "jti": "1",
    } | changed


def _public_pem(maker: TokenMaker) -> bytes:
    key = jwt.PyJWK.from_dict(maker.public_keys()["keys"][0]).key
    return bytes(key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


async def _is_refused(verifier: TokenVerifier, token: str) -> bool:
    try:
        await verifier.verify(token)
    except UnauthenticatedError:
        return True
    return False


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
async def test_verify__without_a_signature__is_refused(
    token_maker: TokenMaker, key_server: KeyServer, alg: str
) -> None:
    header = {"alg": alg, "kid": token_maker.kid, "typ": "JWT"}
    for signature in ("", "AAAA"):
        assert await _is_refused(_verifier(key_server), f"{_part(header)}.{_part(_claims())}.{signature}")


async def test_verify__hmac_with_the_public_key__is_refused(token_maker: TokenMaker, key_server: KeyServer) -> None:
    for secret in (_public_pem(token_maker), json.dumps(token_maker.public_keys()["keys"][0]).encode()):
        signed = f"{_part({'alg': 'HS256', 'kid': token_maker.kid})}.{_part(_claims())}"
        signature = hmac.digest(secret, signed.encode(), hashlib.sha256)
        assert await _is_refused(_verifier(key_server), f"{signed}.{_part(signature)}")


async def test_verify__by_another_key__is_refused(token_maker: TokenMaker, key_server: KeyServer) -> None:
    stranger = TokenMaker()
    stranger.kid = token_maker.kid

    assert await _is_refused(_verifier(key_server), stranger.mint())


@pytest.mark.parametrize("alg", ["ES384", "RS256", "PS256", "EdDSA"])
async def test_verify__by_another_algorithm__is_refused(
    token_maker: TokenMaker, key_server: KeyServer, alg: str
) -> None:
    keys: dict[str, Any] = {
        "ES384": ec.generate_private_key(ec.SECP384R1()),
        "RS256": (rsa_key := rsa.generate_private_key(65537, 2048)),
        "PS256": rsa_key,
    }
    if alg == "EdDSA":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        keys[alg] = Ed25519PrivateKey.generate()
    token = jwt.encode(_claims(), keys[alg], algorithm=alg, headers={"kid": token_maker.kid})

    assert await _is_refused(_verifier(key_server), token)


@pytest.mark.parametrize("typ", ["at+jwt", "JWS", "", "jwt+refresh"])
async def test_verify__another_type_of_token__is_refused(
    token_maker: TokenMaker, key_server: KeyServer, typ: str
) -> None:
    headers = {"kid": token_maker.kid, "typ": typ}
    token = jwt.encode(_claims(), token_maker._key, algorithm="ES256", headers=headers)

    assert await _is_refused(_verifier(key_server), token)


async def test_verify__a_key_brought_along__is_refused(token_maker: TokenMaker, key_server: KeyServer) -> None:
    stranger = TokenMaker()
    own = stranger.public_keys()["keys"][0]
    for extra in ({"jwk": own}, {"jku": "http://127.0.0.1:1/keys"}, {"x5u": "http://127.0.0.1:1/"}, {"x5c": ["AAAA"]}):
        for kid in (stranger.kid, token_maker.kid):
            token = jwt.encode(_claims(), stranger._key, algorithm="ES256", headers={"kid": kid} | extra)
            assert await _is_refused(_verifier(key_server), token)


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "iat", "exp", "jti"])
async def test_verify__a_claim_is_missing__is_refused(
    token_maker: TokenMaker, key_server: KeyServer, claim: str
) -> None:
    assert await _is_refused(_verifier(key_server), token_maker.mint(without=(claim,)))


@pytest.mark.parametrize(
    "claims",
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
    token_maker: TokenMaker, key_server: KeyServer, claims: dict[str, Any]
) -> None:
    assert await _is_refused(_verifier(key_server), token_maker.mint(**claims))


async def test_verify__expired__says_so(token_maker: TokenMaker, key_server: KeyServer) -> None:
    with pytest.raises(TokenExpiredError):
        await _verifier(key_server).verify(token_maker.mint(lifetime_s=-6))


async def test_verify__expired_within_the_leeway__is_taken(token_maker: TokenMaker, key_server: KeyServer) -> None:
    await _verifier(key_server).verify(token_maker.mint(lifetime_s=-2))


async def test_verify__expires_while_it_is_known__says_so(
    token_maker: TokenMaker, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier, token = _verifier(key_server), token_maker.mint(lifetime_s=60)
    await verifier.verify(token)

    later = time.time() + 66
    monkeypatch.setattr("synctalk_runtime.tokens.time.time", lambda: later)

    with pytest.raises(TokenExpiredError):
        await verifier.verify(token)


@pytest.mark.parametrize(
    "kid", [None, 7, True, ["a"], {"a": 1}, "", "unknown", "../../etc/passwd", "x" * 6000, "' or 1"]
)
async def test_verify__an_odd_or_unknown_kid__is_refused(
    token_maker: TokenMaker, key_server: KeyServer, kid: Any
) -> None:
    signed = f"{_part({'alg': 'ES256', 'kid': kid})}.{_part(_claims())}"

    assert await _is_refused(_verifier(key_server), f"{signed}.{_part(b'0' * 64)}")


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b.c", "a" * 9000, "é.é.é", "\ud800", "a\0b", "[]..", _part([]) + ".e30.AAAA",
     _part(b"[" * 5000) + ".e30.AAAA", _part(b'{"a":' * 1000) + ".e30.AAAA", "e30.e30.AAAA",
     _part(b"\xff") + ".e30.AAAA"],
    ids=lambda token: ascii(token[:12]),
)  # fmt: skip
async def test_verify__no_token_at_all__is_refused(key_server: KeyServer, token: str) -> None:
    assert await _is_refused(_verifier(key_server), token)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
_HEADERS = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x5c", "enc", "zip"]), _JSON)


async def test_verify__any_header__is_refused_and_nothing_worse(token_maker: TokenMaker, key_server: KeyServer) -> None:
    verifier = _verifier(key_server)
    _, payload, signature = token_maker.mint().split(".")
    headers: list[Any] = []

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_HEADERS, st.booleans())
    def collect(header: dict[str, Any], as_ours: bool) -> None:
        headers.append(header | ({"kid": token_maker.kid, "alg": "ES256"} if as_ours else {}))

    collect()
    for header in headers:
        assert await _is_refused(verifier, f"{_part(header)}.{payload}.{signature}")


async def test_verify__an_unknown_critical_extension__is_refused(
    token_maker: TokenMaker, key_server: KeyServer
) -> None:
    for extra in ({"crit": ["exp2"], "exp2": 1}, {"b64": False, "crit": ["b64"]}):
        token = jwt.encode(_claims(), token_maker._key, algorithm="ES256", headers={"kid": token_maker.kid} | extra)
        assert await _is_refused(_verifier(key_server), token)


async def test_verify__a_changed_payload__is_refused(token_maker: TokenMaker, key_server: KeyServer) -> None:
    verifier, token = _verifier(key_server), token_maker.mint()
    await verifier.verify(token)  # known now
    header, _, signature = token.split(".")

    assert await _is_refused(verifier, f"{header}.{_part(_claims())}.{signature}")


async def test_verify__of_a_revoked_session__is_refused_at_once(token_maker: TokenMaker, key_server: KeyServer) -> None:
    revocations = Revocations()
    verifier, session_id = _verifier(key_server, revocations), new_id()
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

    assert await _is_refused(verifier, token)


async def test_verify__a_good_token__is_the_person(token_maker: TokenMaker, key_server: KeyServer) -> None:
    user_id, session_id = new_id(), new_id()

    person = await _verifier(key_server).verify(token_maker.mint(user_id, session_id))

    assert (person.user_id, person.session_id) == (user_id, session_id)
    assert person.expires_at == pytest.approx(time.time() + 900, abs=2)


async def test_verify__many_tokens__keeps_a_bounded_number(
    token_maker: TokenMaker, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenVerifier, "CACHE", 10)
    verifier = _verifier(key_server)
    for _ in range(30):
        await verifier.verify(token_maker.mint())

    assert len(verifier._verified) == 10


class _Auth:
    """Stands where auth would: counts who asks, and answers as told."""

    def __init__(self, maker: TokenMaker) -> None:
        self.keys: Any = maker.public_keys()
        self.asked = 0
        self.answering = asyncio.Event()
        self.answering.set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        await self.answering.wait()
        body = self.keys if isinstance(self.keys, bytes) else json.dumps(self.keys).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()


async def _serve(auth: _Auth) -> tuple[asyncio.Server, str]:
    server = await asyncio.start_server(auth, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_keys__auth_is_down_from_the_start__is_unavailable(token_maker: TokenMaker) -> None:
    keys = KeySet(f"http://127.0.0.1:{free_port()}/")
    verifier = TokenVerifier(keys, Revocations(), "synctalk", "synctalk")

    with pytest.raises(UnavailableError):
        await verifier.verify(token_maker.mint())
    with pytest.raises(UnavailableError):
        await keys.check()


@pytest.mark.parametrize(
    "document",
    [b"", b"{}", b"[]", b"nonsense", b'{"keys": 1}', b'{"keys": [1]}', b'{"keys": [{"kty": "EC", "kid": "a"}]}',
     b'{"keys": []}', b'{"keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}]}'],
)  # fmt: skip
async def test_keys__auth_answers_nonsense__is_unavailable(token_maker: TokenMaker, document: bytes) -> None:
    auth = _Auth(token_maker)
    auth.keys = document
    server, url = await _serve(auth)
    async with server:
        with pytest.raises(UnavailableError):
            await KeySet(url).get(token_maker.kid)


async def test_keys__auth_hangs_at_the_start__waiters_share_one_question(token_maker: TokenMaker) -> None:
    auth = _Auth(token_maker)
    auth.answering.clear()
    server, url = await _serve(auth)
    async with server:
        keys = KeySet(url, timeout_s=0.2)
        started = time.monotonic()
        answers = await asyncio.gather(*(keys.get(token_maker.kid) for _ in range(50)), return_exceptions=True)
        auth.answering.set()

    assert {type(answer) for answer in answers} == {UnavailableError}
    assert auth.asked == 1
    assert time.monotonic() - started < 1


async def test_keys__old_and_auth_hangs__nobody_waits(token_maker: TokenMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "REFRESH_S", 0)
    auth = _Auth(token_maker)
    server, url = await _serve(auth)
    async with server:
        keys = KeySet(url, timeout_s=5)
        await keys.check()
        auth.answering.clear()
        async with asyncio.timeout(1):
            for _ in range(20):
                assert await keys.get(token_maker.kid) is not None
        auth.answering.set()
        await keys.close()


async def test_keys__unknown_kids__ask_auth_once_in_a_while(token_maker: TokenMaker) -> None:
    auth = _Auth(token_maker)
    server, url = await _serve(auth)
    async with server:
        keys = KeySet(url)
        await keys.check()
        for n in range(20):
            assert await keys.get(f"unknown-{n}") is None

    assert auth.asked == 2


async def test_keys__a_new_key__is_found_at_its_first_token(token_maker: TokenMaker) -> None:
    auth, second = _Auth(token_maker), TokenMaker()
    server, url = await _serve(auth)
    async with server:
        verifier = TokenVerifier(KeySet(url), Revocations(), "synctalk", "synctalk")
        await verifier.verify(token_maker.mint())
        auth.keys = {"keys": [*token_maker.public_keys()["keys"], *second.public_keys()["keys"]]}

        await verifier.verify(second.mint())
        await verifier.verify(token_maker.mint())
