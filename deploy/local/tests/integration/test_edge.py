"""The edge: a real nginx with the real template, in front of small servers that tell what reached them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from synctalk_local.edge import addresses_of_gateways, edge_part
from synctalk_local.ports import ports_for
from synctalk_local.requirements import nginx_program
from synctalk_testkit.eventually import eventually
from synctalk_testkit.local import running
from synctalk_testkit.ports import free_edge_port

CHECKOUT = Path(__file__).parents[4]
SERVICES = ("auth", "api", "presence", "notifier", "fcm", "gateway-1", "gateway-2")


@dataclass
class Upstream:
    """One small server; answers with its name and with the headers that it got."""

    name: str
    address: str
    """`127.0.0.1:port`, or `unix:path`, as nginx writes them."""
    posts: int = 0
    status: int = 200
    _runner: web.AppRunner | None = field(default=None)

    async def start(self) -> None:
        app = web.Application(client_max_size=2**20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, keepalive_timeout=75, shutdown_timeout=0.1)
        await self._runner.setup()
        kind, place = self.address.split(":")
        if kind == "unix":
            Path(place).parent.mkdir(exist_ok=True)
            await web.UnixSite(self._runner, place).start()
        else:
            await web.TCPSite(self._runner, kind, int(place)).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            self.posts += 1
        if request.headers.get("Upgrade") == "websocket":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            async for message in socket:
                await socket.send_str(f"{self.name}: {message.data}")
            return socket
        if request.path.endswith("/slam"):
            assert request.transport is not None
            request.transport.abort()
        body = {"name": self.name, "path": request.path, "headers": dict(request.headers)}
        return web.json_response(body, status=self.status)


@dataclass(frozen=True)
class Edge:
    url: str
    port: int
    upstreams: dict[str, Upstream]
    http: aiohttp.ClientSession


@pytest.fixture(scope="module")
def web_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("web")
    (root / "assets").mkdir()
    (root / "index.html").write_text("<!doctype html><title>client</title>")
    (root / "assets" / "app-abc123.js").write_text("export const x = 1;\n" * 200)
    yield root


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def edge(tmp_path_factory: pytest.TempPathFactory, web_root: Path) -> AsyncIterator[Edge]:
    ports = ports_for(free_edge_port())
    directory = tmp_path_factory.mktemp("stack") / "edge"
    services = (f"127.0.0.1:{port}" for port in (ports.auth, ports.api, ports.presence, ports.notifier, ports.fcm))
    addresses = zip(SERVICES, (*services, *addresses_of_gateways(directory, ports)), strict=True)
    upstreams = {name: Upstream(name, address) for name, address in addresses}
    template = (CHECKOUT / "deploy/edge/nginx.conf.template").read_text()
    part = edge_part(directory, ports, template, nginx_program(), web_root)
    async with AsyncExitStack() as stack:
        for upstream in upstreams.values():
            await upstream.start()
            stack.push_async_callback(upstream.stop)
        stack.enter_context(running(part, part.directory))
        await eventually(lambda: asyncio.to_thread(part.is_ready), message="nginx did not start")
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Edge(f"http://127.0.0.1:{ports.edge}", ports.edge, upstreams, http)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/internal/users", "/internal"])
async def test_own_affairs__from_outside__are_not_found(edge: Edge, path: str) -> None:
    async with edge.http.get(edge.url + path) as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]["code"] == "not_found"


async def test_headers__forged_by_the_client__are_overwritten(edge: Edge) -> None:
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Synctalk-Internal": "guess", "Forwarded": "for=6.6.6.6"}

    async with edge.http.get(f"{edge.url}/v1/users/me", headers=forged) as answer:
        seen = (await answer.json())["headers"]

    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert "X-Synctalk-Internal" not in seen
    assert "Forwarded" not in seen


async def test_body__over_the_limit__is_too_large_in_the_error_shape(edge: Edge) -> None:
    async with edge.http.post(f"{edge.url}/v1/conversations", data=b"x" * (256 * 1024 + 1)) as answer:
        assert answer.status == 413
        assert (await answer.json())["error"]["code"] == "too_large"


async def test_body__at_the_limit__passes(edge: Edge) -> None:
    async with edge.http.post(f"{edge.url}/v1/conversations", data=b"x" * (256 * 1024)) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("request_line", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b", 400, "malformed"),
        (b"GET /%zz HTTP/1.1\r\nHost: a", 400, "malformed"),
        (b"GET /v1/../../etc HTTP/1.1\r\nHost: a", 400, "malformed"),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a", 413, "too_large"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000, 400, "malformed"),
    ],
    ids=["two hosts", "broken escape", "above the root", "endless path", "endless header"],
)
async def test_request__that_cannot_be_read__is_refused_in_the_error_shape(
    edge: Edge, request_line: bytes, status: int, code: str
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(request_line + b"\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()

    assert f" {status} ".encode() in answer.splitlines()[0]
    assert f'"code":"{code}"'.encode() in answer


async def test_method__that_a_page_does_not_know__is_not_allowed(edge: Edge) -> None:
    async with edge.http.post(edge.url + "/", data=b"") as answer:
        assert answer.status == 405
        assert (await answer.json())["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/auth/login", "auth"),
        ("/.well-known/jwks.json", "auth"),
        ("/v1/presence", "presence"),
        ("/v1/presence/me", "presence"),
        ("/v1/devices/1", "notifier"),
        ("/v1/notification-settings/1", "notifier"),
        ("/v1/conversations", "api"),
        ("/v1/nothing", "api"),
        ("/dev/push/messages", "fcm"),
        ("/socket.io/?EIO=4&transport=polling&sid=1-abc", "gateway-1"),
        ("/socket.io/?EIO=4&transport=polling&sid=2-abc", "gateway-2"),
    ],
)
async def test_path__goes_to_its_service(edge: Edge, path: str, name: str) -> None:
    async with edge.http.get(edge.url + path) as answer:
        assert (await answer.json())["name"] == name


async def test_handshake__without_a_session__goes_to_every_gateway(edge: Edge) -> None:
    async def name() -> str:
        async with edge.http.get(f"{edge.url}/socket.io/?EIO=4&transport=polling") as answer:
            return str((await answer.json())["name"])

    assert {await name() for _ in range(8)} == {"gateway-1", "gateway-2"}


async def test_websocket__is_carried_both_ways(edge: Edge) -> None:
    async with edge.http.ws_connect(f"{edge.url}/socket.io/?EIO=4&transport=websocket&sid=2-x") as socket:
        await socket.send_str("hello")
        assert await socket.receive_str(timeout=5) == "gateway-2: hello"


async def test_service__that_is_down__is_unavailable_with_retry_after(edge: Edge) -> None:
    await edge.upstreams["notifier"].stop()
    try:
        async with edge.http.get(f"{edge.url}/v1/devices") as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"] == "1"
            error = (await answer.json())["error"]
            assert (error["code"], error["retry_after"]) == ("unavailable", 1)
    finally:
        await edge.upstreams["notifier"].start()


async def test_gateway__that_is_down__is_skipped_at_once(edge: Edge) -> None:
    await edge.upstreams["gateway-1"].stop()
    try:
        for _ in range(10):
            async with edge.http.get(f"{edge.url}/socket.io/?EIO=4&transport=polling") as answer:
                assert (await answer.json())["name"] == "gateway-2"
    finally:
        await edge.upstreams["gateway-1"].start()


async def test_handshake__refused_by_a_draining_gateway__is_taken_by_the_other(edge: Edge) -> None:
    edge.upstreams["gateway-1"].status = 503
    try:
        for _ in range(6):
            async with edge.http.get(f"{edge.url}/socket.io/?EIO=4&transport=polling") as answer:
                assert (answer.status, (await answer.json())["name"]) == (200, "gateway-2")
    finally:
        edge.upstreams["gateway-1"].status = 200


async def test_post__whose_connection_breaks__is_not_sent_twice(edge: Edge) -> None:
    edge.upstreams["api"].posts = 0

    async with edge.http.post(f"{edge.url}/v1/slam", json={}) as answer:
        assert answer.status == 503
        assert (await answer.json())["error"]["code"] == "unavailable"

    assert edge.upstreams["api"].posts == 1


async def test_page__is_asked_for_anew_and_guarded(edge: Edge) -> None:
    async with edge.http.get(edge.url + "/") as answer:
        assert "client" in await answer.text()
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_asset__is_kept_for_ever_and_compressed(edge: Edge) -> None:
    async with edge.http.get(f"{edge.url}/assets/app-abc123.js") as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"


async def test_path_of_the_client__asked_by_a_browser__is_the_page(edge: Edge) -> None:
    async with edge.http.get(f"{edge.url}/c/123", headers={"Accept": "text/html"}) as answer:
        assert answer.status == 200
        assert "client" in await answer.text()
        assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("path", ["/nothing", "/assets/gone.js"])
async def test_unknown_path__asked_by_a_program__is_not_found(edge: Edge, path: str) -> None:
    async with edge.http.get(edge.url + path) as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]["code"] == "not_found"
