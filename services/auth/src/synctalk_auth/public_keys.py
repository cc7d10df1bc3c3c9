"""The public keys of one issuer, as a JWKS has them: which of them a signature of some algorithm may come from.

A key is only ever used with an algorithm that suits it (RFC 8725, 3.1): never RSA's public half as an HMAC secret,
never a key for encryption, never an RSA key below 2048 bits.
"""

from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

HMAC = ("HS256", "HS384", "HS512")
SIGNATURES = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", None)),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""By algorithm, the type and curve of its keys."""
MIN_RSA_BITS = 2048
MAX_KEYS = 100


class PublicKeys:
    """Keys by `kid` and algorithm. Entries that are no keys for signatures, or can't be read, are left out."""

    def __init__(self, entries: Sequence[Any]) -> None:
        self._entries = [entry for entry in entries[:MAX_KEYS] if _is_for_signatures(entry)]
        self._read: dict[tuple[str | None, str], list[PyJWK]] = {}
        self._kids = {entry.get("kid") for entry in self._entries}

    def has(self, kid: str) -> bool:
        return kid in self._kids

    def of(self, kid: str | None, algorithm: str) -> list[PyJWK]:
        """Return the keys that a signature may come from; without a `kid` each of the algorithm."""
        if kid is not None and kid not in self._kids:
            return []
        if (kid, algorithm) not in self._read:
            named = [entry for entry in self._entries if kid is None or entry.get("kid") == kid]
            keys = [_read(entry, algorithm) for entry in named if _suits(entry, algorithm)]
            self._read[kid, algorithm] = [key for key in keys if key is not None]
        return self._read[kid, algorithm]


def as_jwk(key: object) -> dict[str, Any]:
    """Return a public key as a JWK. Raises ValueError for a kind that no algorithm here uses."""
    if isinstance(key, RSAPublicKey):
        return dict(RSAAlgorithm.to_jwk(key, as_dict=True))
    if isinstance(key, EllipticCurvePublicKey):
        return dict(ECAlgorithm.to_jwk(key, as_dict=True))
    if isinstance(key, Ed25519PublicKey):
        return dict(OKPAlgorithm.to_jwk(key, as_dict=True))
    raise ValueError("has a key of a kind that is not supported")


def _is_for_signatures(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("kid", ""), str):
        return False
    operations = entry.get("key_ops")
    return entry.get("use", "sig") == "sig" and (not isinstance(operations, list) or "verify" in operations)


def _suits(entry: dict[str, Any], algorithm: str) -> bool:
    key_type, curve = SIGNATURES[algorithm]
    return (
        entry.get("kty") == key_type
        and (curve is None or entry.get("crv") == curve)
        and entry.get("alg", algorithm) == algorithm
    )


def _read(entry: dict[str, Any], algorithm: str) -> PyJWK | None:
    try:
        key = PyJWK.from_dict(entry, algorithm=algorithm)
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < MIN_RSA_BITS:
        return None
    return key
