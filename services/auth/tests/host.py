"""A host app: it signs tokens of its own users, and serves the keys that they are verified by."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from synctalk_testkit.service import serve_stub

ISSUER = "https://login.example.org/"
AUDIENCE = "chat"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk_of(key: rsa.RSAPrivateKey, kid: str) -> dict[str, Any]:
    public: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return public | {"kid": kid, "use": "sig"}


@dataclass
class Host:
    """Signs tokens, and answers at `jwks_url` as a test wants it to."""

    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=lambda: {"k1": new_key()})
    url: str = ""
    asked: int = 0
    answer: bytes | None = None
    """Instead of the key set."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    answering: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def jwks_url(self) -> str:
        return f"{self.url}/keys"

    def setting(self, **changed: Any) -> dict[str, Any]:
        """Return the issuer as `SYNCTALK_TRUSTED_ISSUERS` names it."""
        setting = {"issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["RS256"], "jwks_url": self.jwks_url} | changed
        return {name: value for name, value in setting.items() if value is not None}

    def claims(self, **changed: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "42", "iat": now, "exp": now + 300} | changed
        return {name: value for name, value in claims.items() if value is not ...}

    def sign(self, kid: str | None = "k1", key: Any = None, algorithm: str = "RS256", **changed: Any) -> str:
        """Sign a token; a claim that is `...` is left out."""
        headers = {"kid": kid} if kid is not None else None
        key = key if key is not None else self.keys[kid or "k1"]
        return jwt.encode(self.claims(**changed), key, algorithm, headers=headers)

    async def serve_keys(self, request: web.Request) -> web.Response:
        self.asked += 1
        await self.answering.wait()
        body = {"keys": [jwk_of(key, kid) for kid, key in self.keys.items()]}
        if self.answer is not None:
            return web.Response(body=self.answer, status=self.status, headers=self.headers)
        return web.json_response(body, status=self.status, headers=self.headers)


@asynccontextmanager
async def serve_host() -> AsyncIterator[Host]:
    host = Host()
    host.answering.set()
    app = web.Application()
    app.router.add_get("/keys", host.serve_keys)
    app.router.add_get("/elsewhere", host.serve_keys)
    async with serve_stub(app) as host.url:
        yield host
