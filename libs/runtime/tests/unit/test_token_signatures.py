"""Tokens that auth did not sign, or not so, are refused (RFC 8725)."""

import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from synctalk_testkit.tokens import KeyServer, TokenMaker

from libs.runtime.tests.token_cases import claims, encoded, is_refused, verifier_of


def _public_pem(maker: TokenMaker) -> bytes:
    key = jwt.PyJWK.from_dict(maker.public_keys()["keys"][0]).key
    return bytes(key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
async def test_verify__without_a_signature__is_refused(
    token_maker: TokenMaker, key_server: KeyServer, alg: str
) -> None:
    header = {"alg": alg, "kid": token_maker.kid, "typ": "JWT"}
    for signature in ("", "AAAA"):
        assert await is_refused(verifier_of(key_server), f"{encoded(header)}.{encoded(claims())}.{signature}")


async def test_verify__hmac_with_the_public_key__is_refused(token_maker: TokenMaker, key_server: KeyServer) -> None:
    for secret in (_public_pem(token_maker), json.dumps(token_maker.public_keys()["keys"][0]).encode()):
        signed = f"{encoded({'alg': 'HS256', 'kid': token_maker.kid})}.{encoded(claims())}"
        signature = hmac.digest(secret, signed.encode(), hashlib.sha256)
        assert await is_refused(verifier_of(key_server), f"{signed}.{encoded(signature)}")


async def test_verify__by_another_key__is_refused(token_maker: TokenMaker, key_server: KeyServer) -> None:
    other = TokenMaker()
    other.kid = token_maker.kid

    assert await is_refused(verifier_of(key_server), other.mint())


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
    token = jwt.encode(claims(), keys[alg], algorithm=alg, headers={"kid": token_maker.kid})

    assert await is_refused(verifier_of(key_server), token)


@pytest.mark.parametrize("typ", ["at+jwt", "JWS", "", "jwt+refresh"])
async def test_verify__another_type_of_token__is_refused(
    token_maker: TokenMaker, key_server: KeyServer, typ: str
) -> None:
    headers = {"kid": token_maker.kid, "typ": typ}
    token = jwt.encode(claims(), token_maker._key, algorithm="ES256", headers=headers)

    assert await is_refused(verifier_of(key_server), token)


async def test_verify__a_key_brought_along__is_refused(token_maker: TokenMaker, key_server: KeyServer) -> None:
    other = TokenMaker()
    own = other.public_keys()["keys"][0]
    for extra in ({"jwk": own}, {"jku": "http://127.0.0.1:1/keys"}, {"x5u": "http://127.0.0.1:1/"}, {"x5c": ["AAAA"]}):
        for kid in (other.kid, token_maker.kid):
            token = jwt.encode(claims(), other._key, algorithm="ES256", headers={"kid": kid} | extra)
            assert await is_refused(verifier_of(key_server), token)


async def test_verify__an_unknown_critical_extension__is_refused(
    token_maker: TokenMaker, key_server: KeyServer
) -> None:
    for extra in ({"crit": ["exp2"], "exp2": 1}, {"b64": False, "crit": ["b64"]}):
        token = jwt.encode(claims(), token_maker._key, algorithm="ES256", headers={"kid": token_maker.kid} | extra)
        assert await is_refused(verifier_of(key_server), token)


async def test_verify__a_changed_payload__is_refused(token_maker: TokenMaker, key_server: KeyServer) -> None:
    verifier, token = verifier_of(key_server), token_maker.mint()
    await verifier.verify(token)  # known now
    header, _, signature = token.split(".")

    assert await is_refused(verifier, f"{header}.{encoded(claims())}.{signature}")
