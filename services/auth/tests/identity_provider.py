"""Identity providers: a real one in a process of its own, and one whose answers a test decides, for attacks."""

import asyncio
import base64
import hashlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import orjson
from aiohttp import web
from synctalk_testkit.eventually import eventually
from synctalk_testkit.ports import free_port
from synctalk_testkit.service import serve_stub

from services.auth.tests.host import Host

CLIENT_ID = "synctalk-web"
ADA = {"sub": "ada", "name": "Ada Lovelace", "preferred_username": "ada", "email": "ada@example.org"}


@asynccontextmanager
async def serve_real_provider(port: int | None = None) -> AsyncIterator[str]:
    """Run oidc-provider-mock, which signs in whoever it is asked for; its issuer."""
    port = port or free_port()
    issuer = f"http://localhost:{port}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--host", "localhost", "--port", str(port),
        "--require-nonce", "true", "--user-claims", orjson.dumps(ADA).decode(),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:

        async def answers() -> bool:
            try:
                async with aiohttp.request("GET", f"{issuer}/.well-known/openid-configuration") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await eventually(answers, timeout=30)
        yield issuer
    finally:
        process.kill()
        await process.wait()


@dataclass
class Provider:
    """Answers as a test wants it to. By default as it should, checking the code, PKCE and the client's secret."""

    host: Host = field(default_factory=Host)
    url: str = ""
    document: dict[str, Any] = field(default_factory=dict)
    """Instead of what discovery says."""
    claims: dict[str, Any] = field(default_factory=dict)
    """Instead of what the ID token says; `...` leaves one out."""
    signed: dict[str, Any] = field(default_factory=dict)
    """How it is signed: `kid`, `key`, `algorithm`."""
    id_token: str | None = None
    token_status: int = 200
    discovery_status: int = 200
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """By code, the parameters of the request for it; a code is good once."""
    redeemed: int = 0

    def authorize(self, location: str, code: str = "c1") -> dict[str, str]:
        """Sign in as the user whom the browser was sent for; the parameters that it was sent with."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        self.codes[code] = query
        return query

    async def serve_document(self, _: web.Request) -> web.Response:
        document = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize?tenant=1",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }
        return web.json_response(document | self.document, status=self.discovery_status)

    async def serve_token(self, request: web.Request) -> web.Response:
        self.redeemed += 1
        form = await request.post()
        asked = self.codes.pop(str(form["code"]), None)
        if self.token_status != 200:
            return web.json_response({"error": "server_error"}, status=self.token_status)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        secret = base64.b64decode(request.headers["authorization"].removeprefix("Basic "))
        if (
            asked is None
            or challenge.decode().rstrip("=") != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
            or secret != f"{CLIENT_ID}:s%2Fcret".encode()
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = {"iss": self.url, "aud": CLIENT_ID, "nonce": asked["nonce"], "sub": "7"} | self.claims
        token = self.id_token if self.id_token is not None else self.host.sign(**(self.signed | claims))
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": token})

    def setting(self, **changed: Any) -> dict[str, Any]:
        """Return the provider as `SYNCTALK_OIDC_PROVIDERS` names it."""
        return {
            "id": "acme",
            "name": "Acme",
            "issuer": self.url,
            "client_id": CLIENT_ID,
            "client_secret": "s/cret",
        } | changed


@asynccontextmanager
async def serve_provider() -> AsyncIterator[Provider]:
    provider = Provider()
    provider.host.answering.set()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", provider.serve_document)
    app.router.add_get("/keys", provider.host.serve_keys)
    app.router.add_post("/token", provider.serve_token)
    async with serve_stub(app) as provider.url:
        yield provider
