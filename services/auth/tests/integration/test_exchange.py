"""`POST /v1/auth/exchange`: tokens of a host app become sessions here, and nothing but those."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from synctalk_contracts.models import Tokens
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response

from services.auth.tests.harness import Auth, Start, new_name
from services.auth.tests.host import Host, jwk_of, new_key, serve_host

PATH = "/v1/auth/exchange"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def host() -> AsyncIterator[Host]:
    async with serve_host() as host:
        yield host


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def auth(start_auth: Start, host: Host) -> AsyncIterator[Auth]:
    async with start_auth(trusted_issuers=[host.setting()], profile_timeout_s=5) as auth:
        yield auth


async def exchange(auth: Auth, token: str, **fields: Any) -> Response:
    return await auth.post(PATH, {"token": token} | fields)


async def signed_in(auth: Auth, token: str) -> dict[str, Any]:
    answer = await exchange(auth, token)
    assert answer.status == 200, answer
    tokens: dict[str, Any] = answer.body
    return tokens


def new_sub() -> str:
    return secrets.token_hex(8)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_exchange__without_trusted_issuers__refuses_every_token(start_auth: Start, host: Host) -> None:
    async with start_auth() as auth:
        assert (await exchange(auth, host.sign())).code == "unauthenticated"


async def test_exchange__algorithm_none__is_unauthenticated(auth: Auth, host: Host) -> None:
    for name in ("none", "None", "NONE", ""):
        token = f"{part({'alg': name, 'typ': 'JWT', 'kid': 'k1'})}.{part(host.claims())}."
        assert (await exchange(auth, token)).code == "unauthenticated"


async def test_exchange__public_key_as_hmac_secret__is_unauthenticated(auth: Auth, host: Host) -> None:
    pem = host.keys["k1"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    token = jwt.api_jws.encode(json.dumps(host.claims()).encode(), b"x" * 64, "HS256", headers={"kid": "k1"})
    signed = token.rpartition(".")[0].encode()
    signature = base64.urlsafe_b64encode(hmac.digest(pem, signed, hashlib.sha256)).rstrip(b"=").decode()
    assert (await exchange(auth, f"{signed.decode()}.{signature}")).code == "unauthenticated"


@pytest.mark.parametrize("algorithm", ["RS512", "PS256"])
async def test_exchange__algorithm_that_the_setting_does_not_name__is_unauthenticated(
    auth: Auth, host: Host, algorithm: str
) -> None:
    assert (await exchange(auth, host.sign(algorithm=algorithm))).code == "unauthenticated"


async def test_exchange__key_of_another__is_unauthenticated(auth: Auth, host: Host) -> None:
    for kid in ("k1", None, "k2"):
        assert (await exchange(auth, host.sign(kid, new_key()))).code == "unauthenticated"


async def test_exchange__keys_in_the_token__are_not_used(auth: Auth, host: Host) -> None:
    own = new_key()
    asked = host.asked
    for header in (
        {"jwk": jwk_of(own, "own")},
        {"jku": f"{host.url}/elsewhere"},
        {"x5u": f"{host.url}/elsewhere", "kid": "k1"},
    ):
        token = jwt.encode(host.claims(), own, "RS256", headers=header)
        assert (await exchange(auth, token)).code == "unauthenticated"
    assert host.asked <= asked + 1


async def test_exchange__critical_header__is_unauthenticated(auth: Auth, host: Host) -> None:
    token = jwt.encode(host.claims(), host.keys["k1"], "RS256", headers={"kid": "k1", "crit": ["exp"]})
    assert (await exchange(auth, token)).code == "unauthenticated"


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": []},
        {"aud": ...},
        {"iss": "https://login.example.org"},
        {"iss": ...},
        {"sub": ...},
        {"sub": ""},
        {"sub": 42},
        {"sub": "x" * 256},
        {"sub": "with blank"},
        {"sub": "a\x00b"},
        {"iat": ...},
        {"exp": ...},
        {"exp": "9999999999"},
        {"exp": True},
        {"iat": 4_102_444_800},
        {"nbf": 4_102_444_800},
    ],
    ids=str,
)
async def test_exchange__claim_missing_or_wrong__is_unauthenticated(
    auth: Auth, host: Host, changed: dict[str, Any]
) -> None:
    token = jwt.api_jws.encode(
        json.dumps(host.claims(**changed)).encode(), host.keys["k1"], "RS256", headers={"kid": "k1"}
    )
    answer = await exchange(auth, token)
    assert (answer.status, answer.code) == (401, "unauthenticated")


async def test_exchange__within_and_beyond_the_skew__is_well_and_expired(auth: Auth, host: Host) -> None:
    now = int(time.time())
    assert (await exchange(auth, host.sign(exp=now - 30, iat=now - 600))).status == 200
    assert (await exchange(auth, host.sign(iat=now + 30))).status == 200
    assert (await exchange(auth, host.sign(exp=now - 90, iat=now - 600))).code == "token_expired"


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "x" * 8192, "é.é.é", "[" * 4000])
async def test_exchange__no_token__is_unauthenticated(auth: Auth, token: str) -> None:
    assert (await exchange(auth, token)).code == "unauthenticated"


async def test_exchange__token_over_the_bound__is_invalid(auth: Auth) -> None:
    assert (await exchange(auth, "x" * 8193)).fields == {"token"}


async def test_exchange__our_own_access_token__is_unauthenticated(auth: Auth) -> None:
    assert (await exchange(auth, (await auth.register())["access_token"])).code == "unauthenticated"


async def test_exchange__well__makes_the_user_and_answers_tokens(auth: Auth, host: Host) -> None:
    name = new_name()
    token = host.sign(
        sub=new_sub(), name="Ada Lovelace", picture="https://example.org/ada.png", preferred_username=name
    )

    tokens = await signed_in(auth, token)

    assert Tokens.model_validate(tokens)
    user = tokens["user"]
    assert (user["username"], user["display_name"]) == (name, "Ada Lovelace")
    assert user["avatar_url"] == "https://example.org/ada.png"
    assert auth.api.introduced[user["id"]].username == name
    assert (await auth.get("/v1/auth/sessions", token=tokens["access_token"])).status == 200
    assert (await auth.refresh(tokens["refresh_token"])).status == 200


async def test_exchange__again__is_the_same_user_in_another_session(auth: Auth, host: Host) -> None:
    token = host.sign(sub=new_sub())
    first, second = await signed_in(auth, token), await signed_in(auth, token)
    assert first["user"]["id"] == second["user"]["id"]
    assert first["session_id"] != second["session_id"]


async def test_exchange__twenty_at_once_of_a_new_user__make_one(auth: Auth, host: Host) -> None:
    token = host.sign(sub=new_sub(), preferred_username=new_name())
    answers = await asyncio.gather(*(signed_in(auth, token) for _ in range(20)))
    assert len({tokens["user"]["id"] for tokens in answers}) == 1


async def test_exchange__name_and_email_of_another_user__links_nothing(auth: Auth, host: Host) -> None:
    name = new_name()
    victim = await auth.register(name, email="ada@example.org")

    tokens = await signed_in(
        auth, host.sign(sub=new_sub(), preferred_username=name, email="ada@example.org", email_verified=True)
    )

    assert tokens["user"]["id"] != victim["user"]["id"]
    assert tokens["user"]["username"].startswith(f"{name}-")
    by_id = await signed_in(auth, host.sign(sub=victim["user"]["id"]))
    assert by_id["user"]["id"] != victim["user"]["id"]


@pytest.mark.parametrize(
    "wanted", ["A", "Ada Lovelace", "ада", "guest-0123456789", "deleted-1", "all", "x" * 99, "a@b.c", 7, ""]
)
async def test_exchange__username_that_can_not_be__becomes_one_that_can(auth: Auth, host: Host, wanted: Any) -> None:
    tokens = await signed_in(auth, host.sign(sub=new_sub(), preferred_username=wanted))
    username = tokens["user"]["username"]
    assert 3 <= len(username) <= 32
    assert not username.startswith(("guest-", "deleted-"))


async def test_exchange__later_claims__change_name_and_picture_only(auth: Auth, host: Host) -> None:
    sub, name = new_sub(), new_name()
    first = await signed_in(auth, host.sign(sub=sub, name="Ada", preferred_username=name))

    second = await signed_in(auth, host.sign(sub=sub, name="Ada L.", preferred_username=new_name()))
    third = await signed_in(auth, host.sign(sub=sub, name="\u202e", picture="javascript:alert(1)"))

    assert second["user"] == first["user"] | {"display_name": "Ada L."}
    assert third["user"] == second["user"]
    assert [given.display_name for given in auth.api.given if given.user_id == first["user"]["id"]] == ["Ada L."]
    rows = await auth.sql("select display_name from users where id = $1::text::uuid", first["user"]["id"])
    assert rows[0]["display_name"] == "Ada L."


async def test_exchange__unknown_where_users_are_not_made__is_forbidden(start_auth: Start, host: Host) -> None:
    async with start_auth(trusted_issuers=[host.setting(create_users=False)]) as auth:
        assert (await exchange(auth, host.sign(sub=new_sub()))).code == "forbidden"
        assert await auth.sql("select 1 from users where not is_bot") == []


async def test_exchange__deactivated__is_forbidden(auth: Auth, host: Host) -> None:
    token = host.sign(sub=new_sub())
    user_id = (await signed_in(auth, token))["user"]["id"]
    await auth.sql("update users set deactivated_at = now() where id = $1::text::uuid", user_id)
    assert (await exchange(auth, token)).code == "forbidden"


async def test_exchange__external_id__is_prefix_and_sub_in_nfc(start_auth: Start, host: Host) -> None:
    async with start_auth(trusted_issuers=[host.setting(external_id_prefix="shop:")]) as auth:
        await signed_in(auth, host.sign(sub="Jose\u0301"))
        rows = await auth.sql("select external_id from external_ids")
        assert [row["external_id"] for row in rows] == ["shop:Jos\u00e9"]


async def test_exchange__shared_secret_or_public_keys__verify_too(start_auth: Start, host: Host) -> None:
    secret = secrets.token_hex(32)
    elliptic = ec.generate_private_key(ec.SECP256R1())
    pem = elliptic.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    issuers = [
        host.setting(issuer="hs", jwks_url=None, shared_secret=secret, algorithms=["HS256"], external_id_prefix="hs:"),
        host.setting(issuer="es", jwks_url=None, public_keys=[pem], algorithms=["ES256"], external_id_prefix="es:"),
    ]
    async with start_auth(trusted_issuers=issuers) as auth:
        assert (await exchange(auth, host.sign(None, secret, "HS256", iss="hs"))).status == 200
        assert (await exchange(auth, host.sign(None, elliptic, "ES256", iss="es"))).status == 200
        assert (await exchange(auth, host.sign(None, secret[:-1] + "x", "HS256", iss="hs"))).status == 401
        assert (await exchange(auth, host.sign(None, secret, "HS256", iss="es"))).status == 401


async def test_exchange__too_often_from_one_address__is_rate_limited(start_auth: Start) -> None:
    async with start_auth(exchange_per_address_burst=2, exchange_per_address_per_s=0.01) as auth:
        codes = [(await exchange(auth, "x")).code for _ in range(4)]
        assert codes == ["unauthenticated", "unauthenticated", "rate_limited", "rate_limited"]


# The issuer's keys.


async def test_keys__gone__are_unavailable_and_known_again_later(start_auth: Start, host: Host) -> None:
    async with serve_host() as flaky, start_auth(trusted_issuers=[flaky.setting()]) as auth:
        flaky.status = 500
        answer = await exchange(auth, flaky.sign())
        assert (answer.status, answer.code) == (503, "unavailable")
        flaky.status = 200

        async def comes_in() -> bool:
            return (await exchange(auth, flaky.sign())).status == 200

        await eventually(comes_in, timeout=20)
        flaky.status = 500
        assert (await exchange(auth, flaky.sign())).status == 200


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b'{"keys": 1}', b"x" * 300_000, b'{"keys": [' + b"1," * 200_000 + b"1]}"]
)
async def test_keys__huge_or_no_key_set__are_unavailable(start_auth: Start, answer: bytes) -> None:
    async with serve_host() as odd, start_auth(trusted_issuers=[odd.setting()]) as auth:
        odd.answer = answer
        assert (await exchange(auth, odd.sign())).status == 503


async def test_keys__redirected__are_not_followed(start_auth: Start) -> None:
    async with serve_host() as moved, start_auth(trusted_issuers=[moved.setting()]) as auth:
        moved.status, moved.headers = 302, {"Location": f"{moved.url}/elsewhere"}
        assert (await exchange(auth, moved.sign())).status == 503
        assert moved.asked == 1


async def test_keys__that_never_come__are_unavailable_and_asked_for_once(start_auth: Start) -> None:
    async with serve_host() as slow, start_auth(trusted_issuers=[slow.setting()]) as auth:
        slow.answering.clear()
        answers = await asyncio.gather(*(exchange(auth, slow.sign()) for _ in range(10)))
        assert {answer.status for answer in answers} == {503}
        assert slow.asked == 1
        assert (await auth.login(new_name())).code == "invalid_credentials"
        slow.answering.set()


async def test_keys__unknown_names__are_fetched_once_in_ten_seconds(start_auth: Start) -> None:
    async with serve_host() as rotating, start_auth(trusted_issuers=[rotating.setting()]) as auth:
        assert (await exchange(auth, rotating.sign())).status == 200
        for n in range(20):
            assert (await exchange(auth, rotating.sign(f"foreign-{n}", rotating.keys["k1"]))).status == 401
        assert rotating.asked <= 2


async def test_keys__for_encryption_small_or_symmetric__verify_nothing(start_auth: Start) -> None:
    async with serve_host() as host, start_auth(trusted_issuers=[host.setting()]) as auth:
        small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it must be refused
        other = new_key()
        entries = [
            jwk_of(small, "small"),
            jwk_of(other, "encrypts") | {"use": "enc"},
            {"kty": "oct", "kid": "oct", "k": "c2VjcmV0"},
            jwk_of(other, "other-algorithm") | {"alg": "RS512"},
            {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
            {"kid": 7},
            "none",
        ]
        host.answer = json.dumps({"keys": entries}).encode()
        with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
            assert (await exchange(auth, host.sign("small", small))).code == "unauthenticated"
        for kid, key in (("encrypts", other), ("other-algorithm", other), ("broken", other)):
            assert (await exchange(auth, host.sign(kid, key))).code == "unauthenticated", kid
