"""Keys and the tokens made with them."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from pydantic import SecretStr
from synctalk_auth.errors import KeyUnreadableError
from synctalk_auth.signing import Keyring, make_key
from synctalk_runtime.errors import UnauthenticatedError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.tokens import TokenVerifier

USER, SESSION = "0198c5a0-0000-7000-8000-000000000001", "0198c5a0-0000-7000-8000-000000000002"
PASSPHRASE = SecretStr("a passphrase of some length")


def keyring(clock_at: datetime | None = None, passphrase: SecretStr | None = None) -> Keyring:
    return Keyring("synctalk", "synctalk", 900, passphrase, clock=lambda: clock_at or utc_now())


def test_mint__no_key_yet__is_unavailable() -> None:
    with pytest.raises(UnavailableError):
        keyring().mint(USER, SESSION, utc_now())


async def test_verify__signed_by_a_key_that_is_not_ours__is_refused() -> None:
    ours, theirs = keyring(), keyring()
    ours.hold([make_key(utc_now(), utc_now(), None)])
    theirs.hold([make_key(utc_now(), utc_now(), None)])
    verifier = TokenVerifier(ours, Revocations(), "synctalk", "synctalk")

    with pytest.raises(UnauthenticatedError):
        await verifier.verify(theirs.mint(USER, SESSION, utc_now()))


def test_hold__passphrase_missing_or_another__says_so() -> None:
    key = make_key(utc_now(), utc_now(), PASSPHRASE)

    for passphrase in (None, SecretStr("another passphrase, as long")):
        with pytest.raises(KeyUnreadableError):
            keyring(passphrase=passphrase).hold([key])


def test_hold__encrypted_and_plain_keys_together__signs() -> None:
    ring = keyring(passphrase=PASSPHRASE)
    ring.hold([make_key(utc_now() - timedelta(days=1), utc_now(), None), make_key(utc_now(), utc_now(), PASSPHRASE)])

    assert ring.mint(USER, SESSION, utc_now())


def test_make_key__with_a_passphrase__keeps_the_private_half_encrypted_and_out_of_its_repr() -> None:
    key = make_key(utc_now(), utc_now(), PASSPHRASE)

    assert key.private_pem.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert "PRIVATE" not in repr(key)
    assert "d" not in key.public_jwk


async def test_mint__a_key_in_use__is_what_every_service_accepts() -> None:
    ring, now = keyring(), utc_now()
    ring.hold([make_key(now, now, None)])

    token = ring.mint(USER, SESSION, now)

    principal = await TokenVerifier(ring, Revocations(), "synctalk", "synctalk").verify(token)
    assert (principal.user_id, principal.session_id) == (USER, SESSION)
    header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    assert (header["alg"], header["typ"]) == ("ES256", "JWT")
    assert set(claims) == {"iss", "aud", "sub", "sid", "iat", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == 900


def test_mint__after_the_rotation__signs_with_the_next_key_and_publishes_both() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    keys = [make_key(start, start, None), make_key(start + timedelta(days=30), start, None)]
    before, after = keyring(start + timedelta(days=29)), keyring(start + timedelta(days=30))
    before.hold(keys)
    after.hold(keys)

    assert jwt.get_unverified_header(before.mint(USER, SESSION, start))["kid"] == keys[0].kid
    assert jwt.get_unverified_header(after.mint(USER, SESSION, start))["kid"] == keys[1].kid
    assert [jwk["kid"] for jwk in after.public_jwks()] == [key.kid for key in keys]


async def test_hold__without_a_leaked_key__its_tokens_are_refused_though_they_were_known() -> None:
    ring, now = keyring(), utc_now()
    ring.hold([make_key(now, now, None)])
    verifier, token = TokenVerifier(ring, Revocations(), "synctalk", "synctalk"), ring.mint(USER, SESSION, now)
    await verifier.verify(token)

    ring.hold([make_key(now, now, None)])

    with pytest.raises(UnauthenticatedError):
        await verifier.verify(token)
