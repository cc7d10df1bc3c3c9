"""The keys that access tokens are signed with, as this process holds them, and the tokens made with them.

ES256. Which key signs follows from the clock alone (`rules.key_in_use`), so processes that hold the same rows agree.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm
from pydantic import SecretStr
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.tokens import ALGORITHM

from synctalk_auth import rules
from synctalk_auth.errors import KeyUnreadableError
from synctalk_auth.store.signing_keys import SigningKey


def make_key(signs_from: datetime, now: datetime, passphrase: SecretStr | None) -> SigningKey:
    """A new key pair; the private half is encrypted when there is a passphrase."""
    private = generate_private_key(SECP256R1())
    encryption: KeySerializationEncryption = NoEncryption()
    if passphrase is not None:
        encryption = BestAvailableEncryption(passphrase.get_secret_value().encode())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()
    kid = new_id()
    public: dict[str, Any] = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    public |= {"kid": kid, "alg": ALGORITHM, "use": "sig"}
    return SigningKey(kid, pem, public, created_at=now, signs_from=signs_from)


@dataclass(frozen=True, slots=True)
class _LoadedKey:
    kid: str
    signs_from: datetime
    private: EllipticCurvePrivateKey
    public: PyJWK
    public_jwk: dict[str, Any]


class Keyring:
    """The keys of the table in usable form. Empty until `hold` was called once: then nothing can be signed."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        ttl_s: int,
        passphrase: SecretStr | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._passphrase = passphrase
        self._clock = clock
        self._keys: dict[str, _LoadedKey] = {}
        self.ttl_s = ttl_s

    def hold(self, rows: Sequence[SigningKey]) -> None:
        """From now on these keys. Raises KeyUnreadableError and keeps the old ones when one cannot be decrypted."""
        self._keys = {row.kid: self._keys.get(row.kid) or self._read(row) for row in rows}

    async def check(self) -> None:
        """Raise unless a token can be signed: for readiness, and before anything is changed for a token."""
        self._in_use()

    def mint(self, user_id: str, session_id: str, now: datetime, *, is_guest: bool = False) -> str:
        """An access token of the session, issued at `now`. A guest's says so, since verifiers ask nobody."""
        issued_at = int(now.timestamp())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user_id,
            "sid": session_id,
            "iat": issued_at,
            "exp": issued_at + self.ttl_s,
            "jti": uuid4().hex,
        }
        if is_guest:
            claims["guest"] = True
        key = self._in_use()
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid})

    async def get(self, kid: str) -> PyJWK | None:
        """The public key of that name: auth verifies by its own ring, without asking itself over HTTP."""
        found = self._keys.get(kid)
        return found.public if found is not None else None

    def public_jwks(self) -> list[dict[str, Any]]:
        """Return the public keys for the JWKS: the signing one, the next one, and those whose tokens may still live."""
        self._in_use()
        return [key.public_jwk for key in self._keys.values()]

    def _in_use(self) -> _LoadedKey:
        key = rules.key_in_use(list(self._keys.values()), self._clock())
        if key is None:
            raise UnavailableError
        return key

    def _read(self, row: SigningKey) -> _LoadedKey:
        encrypted = "ENCRYPTED" in row.private_pem.partition("\n")[0]
        password = self._passphrase.get_secret_value().encode() if encrypted and self._passphrase else None
        try:
            private = load_pem_private_key(row.private_pem.encode(), password)
        except (ValueError, TypeError) as error:
            raise KeyUnreadableError(row.kid) from error
        assert isinstance(private, EllipticCurvePrivateKey)
        public = PyJWK.from_dict(row.public_jwk, algorithm=ALGORITHM)
        return _LoadedKey(row.kid, row.signs_from, private, public, row.public_jwk)
