"""What the tests of tokens are made of: verifiers, claims, and what stands where auth would."""

import asyncio
import base64
import hashlib
import json
import time
from typing import Any

from synctalk_runtime.errors import UnauthenticatedError
from synctalk_runtime.ids import new_id
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.tokens import KeySet, TokenVerifier
from synctalk_testkit.tokens import JWKS_PATH, KeyServer, TokenMaker


def verifier_of(key_server: KeyServer, revocations: Revocations | None = None) -> TokenVerifier:
    return TokenVerifier(KeySet(key_server.url + JWKS_PATH), revocations or Revocations(), "synctalk", "synctalk")


def encoded(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(**changed: Any) -> dict[str, Any]:
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


async def is_refused(verifier: TokenVerifier, token: str) -> bool:
    try:
        await verifier.verify(token)
    except UnauthenticatedError:
        return True
    return False


class AuthStub:
    """Stands where auth would: counts the requests, and responds as a test wants it to."""

    def __init__(self, maker: TokenMaker) -> None:
        self.keys: Any = maker.public_keys()
        self.asked = self.unchanged = 0
        self.answering = asyncio.Event()
        self.answering.set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        await self.answering.wait()
        body = self.keys if isinstance(self.keys, bytes) else json.dumps(self.keys).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        status = "200 OK"
        if f"If-None-Match: {etag}".encode() in asked:
            status, body = "304 Not Modified", b""
            self.unchanged += 1
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nETag: {etag}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()


async def serve(auth: AuthStub) -> tuple[asyncio.Server, str]:
    server = await asyncio.start_server(auth, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
