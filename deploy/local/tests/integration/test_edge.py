"""The edge: a real nginx with the real template, in front of small servers that return what reached them."""

import asyncio
import io
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
import pytest_asyncio
from synctalk_local.processes.edge import origins
from synctalk_systemtest.edge import Edge, running_edge, write_web_root
from yarl import URL

UPLOAD = "01890000-0000-7000-8000-00000000abcd"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    web_root = write_web_root(tmp_path_factory.mktemp("web"))
    async with running_edge(tmp_path_factory.mktemp("stack"), web_root) as edge:
        yield edge


OURS = "https://www.example.com"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def open_edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    """An edge that allows another origin."""
    web_root = write_web_root(tmp_path_factory.mktemp("web"))
    given = origins(f"{OURS},https://b.example")
    async with running_edge(tmp_path_factory.mktemp("stack"), web_root, given) as edge:
        yield edge


@pytest.mark.parametrize("path", ["/", "/internal", "/nothing", "/v1/auth/slam", "/v1/conversations"])
async def test_own_answer__to_an_allowed_origin__may_be_read(open_edge: Edge, path: str) -> None:
    async with open_edge.http.get(open_edge.url + path, headers={"Origin": OURS}) as answer:
        assert answer.headers.getall("Access-Control-Allow-Origin") == [OURS]
        assert answer.headers.getall("Access-Control-Expose-Headers") == ["Retry-After"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Origin" in answer.headers.getall("Vary")


async def test_own_answer__too_large__may_be_read(open_edge: Edge) -> None:
    body = b"x" * (256 * 1024 + 1)
    async with open_edge.http.post(f"{open_edge.url}/v1/conversations", data=body, headers={"Origin": OURS}) as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (413, OURS)


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", f"{OURS}.evil.example"])
async def test_own_answer__to_another_origin__may_not_be_read(open_edge: Edge, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    async with open_edge.http.get(f"{open_edge.url}/internal", headers=headers) as answer:
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
        assert answer.headers.getall("Vary") == ["Origin"]


async def test_answer_of_a_service__keeps_its_own_headers_for_origins(open_edge: Edge) -> None:
    api = open_edge.upstreams["api"]
    own = {"Access-Control-Allow-Origin": OURS, "Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin"}
    api.answer_headers = own
    try:
        async with open_edge.http.get(f"{open_edge.url}/v1/users/me", headers={"Origin": OURS}) as answer:
            assert {name: answer.headers.getall(name) for name in own} == {name: [own[name]] for name in own}
    finally:
        api.answer_headers = {}


async def test_edge__without_allowed_origins__says_nothing_of_them(edge: Edge) -> None:
    async with edge.http.get(f"{edge.url}/internal", headers={"Origin": OURS}) as answer:
        assert not {"Access-Control-Allow-Origin", "Vary"} & answer.headers.keys()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/internal/users", "/internal"])
async def test_own_affairs__from_outside__are_not_found(edge: Edge, path: str) -> None:
    async with edge.http.get(edge.url + path) as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]["code"] == "not_found"


async def test_headers__forged_by_the_client__are_overwritten(edge: Edge) -> None:
    forged = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "X-Synctalk-Internal": "guess",
        "X-Synctalk-Caller": "api",
        "Forwarded": "for=6.6.6.6",
    }

    async with edge.http.get(f"{edge.url}/v1/users/me", headers=forged) as answer:
        seen = (await answer.json())["headers"]

    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["X-Forwarded-Proto"] == "http"
    assert "X-Synctalk-Internal" not in seen
    assert "X-Synctalk-Caller" not in seen
    assert "Forwarded" not in seen


async def test_trace__of_the_client__does_not_arrive(edge: Edge) -> None:
    trace = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "a=b", "baggage": "a=b"}

    async with edge.http.get(f"{edge.url}/v1/users/me", headers=trace) as answer:
        seen = {name.lower() for name in (await answer.json())["headers"]}

    assert not seen & trace.keys()


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
        ("/v1/events?after=0", "notifier"),
        ("/v1/webhooks/1/deliveries", "notifier"),
        ("/v1/conversations", "api"),
        ("/v1/server/conversations/ticket-1", "api"),
        ("/v1/server/users/1", "auth"),
        ("/v1/nothing", "api"),
        ("/dev/push/messages", "fcm"),
        ("/socket.io/?EIO=4&transport=polling&sid=gateway-1.abc", "gateway-1"),
        ("/socket.io/?EIO=4&transport=polling&sid=gateway-2.abc", "gateway-2"),
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
    async with edge.http.ws_connect(f"{edge.url}/socket.io/?EIO=4&transport=websocket&sid=gateway-2.x") as socket:
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


PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


@pytest.mark.parametrize("path", ["/", "/index.html", "/c/123"])
async def test_page__by_each_way__has_every_guard_once(edge: Edge, path: str) -> None:
    async with edge.http.get(edge.url + path, headers={"Accept": "text/html"}) as answer:
        assert (answer.status, "client" in await answer.text()) == (200, True)
        assert {name: answer.headers.getall(name, []) for name in PAGE_HEADERS} == {
            name: [value] for name, value in PAGE_HEADERS.items()
        }
        assert "Strict-Transport-Security" not in answer.headers


def policy_of(answer: aiohttp.ClientResponse) -> dict[str, str]:
    [policy] = answer.headers.getall("Content-Security-Policy")
    return dict(rule.strip().split(" ", 1) for rule in policy.split(";"))


async def test_page__has_a_policy_that_lets_nothing_out_to_other_origins(edge: Edge) -> None:
    async with edge.http.get(edge.url + "/") as answer:
        policy = policy_of(answer)
    assert policy["default-src"] == policy["connect-src"] == policy["script-src"] == "'self'"
    assert policy["img-src"].split() == ["'self'", "data:", "blob:"]


async def test_service_worker__is_asked_for_anew_and_may_fetch_from_here_alone(edge: Edge) -> None:
    async with edge.http.get(f"{edge.url}/sw.js") as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
        assert answer.content_type.endswith("javascript")
        policy = dict(rule.strip().split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split(";"))

    assert policy["worker-src"] == "'self' blob:"
    assert policy["manifest-src"] == policy["connect-src"] == "'self'"


async def test_manifest__has_its_type_and_the_headers_of_all(edge: Edge) -> None:
    async with edge.http.get(f"{edge.url}/manifest.webmanifest") as answer:
        assert (answer.status, answer.content_type) == (200, "application/manifest+json")
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_service_worker__of_a_client_without_one__is_not_found(open_edge: Edge) -> None:
    async with open_edge.http.get(f"{open_edge.url}/other-sw.js") as answer:
        assert answer.status == 404


async def test_embed__may_be_framed_by_allowed_origins_alone(edge: Edge, open_edge: Edge) -> None:
    for one, others in ((edge, []), (open_edge, [OURS, "https://b.example"])):
        async with one.http.get(f"{one.url}/embed") as answer:
            assert (answer.status, "client in a page" in await answer.text()) == (200, True)
            assert policy_of(answer)["frame-ancestors"].split() == ["'self'", *others]
            assert "X-Frame-Options" not in answer.headers
            assert answer.headers.getall("Cache-Control") == ["no-cache"]
        async with one.http.get(f"{one.url}/embed/origins") as answer:
            assert (answer.status, (await answer.text()).split()) == (200, others)


@pytest.mark.parametrize("path", ["/", "/index.html", "/c/123", "/embed.html", "/embed/", "/embed.js", "/nothing.js"])
async def test_anything_but_embed__may_be_framed_by_our_own_origin_alone(open_edge: Edge, path: str) -> None:
    async with open_edge.http.get(open_edge.url + path, headers={"Accept": "text/html"}) as answer:
        assert policy_of(answer)["frame-ancestors"] == "'self'"
        assert answer.headers.getall("X-Frame-Options") == ["SAMEORIGIN"]
        assert "client in a page" not in await answer.text()


async def test_embed_js__is_a_script_that_is_asked_for_anew(open_edge: Edge) -> None:
    async with open_edge.http.get(f"{open_edge.url}/embed.js") as answer:
        assert (answer.status, "javascript" in answer.headers["Content-Type"]) == (200, True)
        assert answer.headers.getall("Cache-Control") == ["no-cache"]


async def test_answer_of_a_service__has_the_common_headers_and_none_of_a_page(edge: Edge) -> None:
    async with edge.http.get(f"{edge.url}/v1/users/me") as answer:
        assert answer.headers.getall("X-Content-Type-Options") == ["nosniff"]
        assert not {"Content-Security-Policy", "Cache-Control", "Retry-After"} & answer.headers.keys()


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "7"}])
async def test_answer__that_turns_away__says_once_when_to_come_back(edge: Edge, headers: dict[str, str]) -> None:
    api = edge.upstreams["api"]
    api.status, api.answer_headers = 429, headers
    try:
        async with edge.http.get(f"{edge.url}/v1/users/me") as answer:
            assert answer.status == 429
            assert answer.headers.getall("Retry-After") == [headers.get("Retry-After", "1")]
    finally:
        api.status, api.answer_headers = 200, {}


@pytest.mark.parametrize(
    ("path", "encoding"),
    [
        ("/v1/conversations?padding=1024", "gzip"),
        ("/v1/conversations", None),
        ("/v1/auth/sessions?padding=1024", None),
        ("/socket.io/?EIO=4&transport=polling&sid=gateway-1.a&padding=1024", None),
    ],
    ids=["long", "short", "tokens", "sockets"],
)
async def test_answer__is_compressed_where_it_pays_and_says_nothing(
    edge: Edge, path: str, encoding: str | None
) -> None:
    async with edge.http.get(edge.url + path, headers={"Accept-Encoding": "gzip", "Via": "1.1 proxy"}) as answer:
        assert answer.headers.get("Content-Encoding") == encoding
        assert ("Accept-Encoding" in answer.headers.get("Vary", "")) == (encoding is not None)


async def test_asset__is_kept_for_ever_and_compressed(edge: Edge) -> None:
    async with edge.http.get(f"{edge.url}/assets/app-abc123.js") as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("path", ["/nothing", "/assets/gone.js"])
async def test_unknown_path__asked_by_a_program__is_not_found(edge: Edge, path: str) -> None:
    async with edge.http.get(edge.url + path) as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]["code"] == "not_found"


class TestUploads:
    """Into a folder: the edge writes the bytes, and api is asked first and never gets them."""

    @staticmethod
    def path() -> str:
        return f"/v1/uploads/{uuid4()}?size=5&signature=abc"

    @staticmethod
    def written(edge: Edge, path: str) -> Path:
        return edge.uploads / path.rsplit("/", maxsplit=1)[-1].partition("?")[0]

    async def test_put__that_api_allows__is_written_as_it_came(self, edge: Edge) -> None:
        path, content = self.path(), secrets.token_bytes(25 * 2**20)
        async with edge.http.put(
            edge.url + path, data=io.BytesIO(content), headers={"traceparent": "forged"}
        ) as answer:
            assert (answer.status, await answer.read()) == (201, b"")
        asked = edge.upstreams["api"].seen[-1]

        assert self.written(edge, path).read_bytes() == content
        assert (asked["method"], asked["path"]) == ("GET", path)
        assert asked["headers"]["X-Upload-Length"] == str(len(content))
        assert not {"Content-Length", "Content-Type", "traceparent"} & asked["headers"].keys()

    async def test_put__that_api_refuses__is_not_written(self, edge: Edge) -> None:
        path = self.path()
        for status, seen in ((403, 404), (500, 503), (429, 503)):
            edge.upstreams["api"].status = status
            try:
                async with edge.http.put(edge.url + path, data=b"hello") as answer:
                    assert (answer.status, "error" in await answer.json()) == (seen, True)
            finally:
                edge.upstreams["api"].status = 200
        assert not self.written(edge, path).exists()

    async def test_put__broken_off__leaves_nothing(self, edge: Edge) -> None:
        path = self.path()
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(f"PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n".encode() + b"x" * 1000)
        await writer.drain()
        writer.transport.abort()
        assert await reader.read() == b""
        async with edge.http.put(edge.url + self.path(), data=b"later") as answer:
            assert answer.status == 201
        assert not self.written(edge, path).exists()

    @pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST", "MKCOL", "OPTIONS"])
    async def test_other_methods__are_not_allowed(self, edge: Edge, method: str) -> None:
        path = self.path()
        async with edge.http.put(edge.url + path, data=b"hello") as answer:
            assert answer.status == 201
        async with edge.http.request(method, edge.url + path) as answer:
            assert answer.status == 405
        assert self.written(edge, path).read_bytes() == b"hello"

    @pytest.mark.parametrize("name", ["a", "../x", "%2e%2e%2fx", f"{UPLOAD}/x", UPLOAD.upper()])
    async def test_put__elsewhere__is_for_api_to_refuse(self, edge: Edge, name: str) -> None:
        async with edge.http.put(URL(f"{edge.url}/v1/uploads/{name}", encoded=True), data=b"hello") as answer:
            assert answer.status == 405 or (await answer.json())["name"] == "api"

    async def test_put__of_more_than_any_file__is_too_large(self, edge: Edge) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(f"PUT {self.path()} HTTP/1.1\r\nHost: a\r\nContent-Length: {2**30}\r\n\r\n".encode())
        assert b" 413 " in (await reader.readline())
        writer.close()
