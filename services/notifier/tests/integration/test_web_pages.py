"""Fetching pages from real HTTP servers that answer, hang, never end, redirect and deceive."""

import asyncio
import gzip
import socket
import threading
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import web
from synctalk_notifier.clients.web_pages import NoPageError, WebPages
from synctalk_testkit.service import serve_stub

HTML = {"content-type": "text/html; charset=iso-8859-1"}
MAX_BYTES = 65_536
TIMEOUT_S = 2.0

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """A web site, and the paths that were asked of it."""

    def __init__(self) -> None:
        self.url = ""
        self.respond: Respond = page
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        return await self.respond(request)


async def page(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b"<title>A page</title></head><body>Text", headers=HTML)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made, app = Site(), web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    async with serve_stub(app) as url:
        made.url = url
        yield made


@asynccontextmanager
async def fetching(*allowed: str, timeout_s: float = TIMEOUT_S) -> AsyncIterator[WebPages]:
    networks = [ip_network(network) for network in allowed or ("127.0.0.0/8",)]
    pages = WebPages(networks, user_agent="Tests/1.0", timeout_s=timeout_s, max_bytes=MAX_BYTES)
    await pages.open()
    try:
        yield pages
    finally:
        await pages.close()


@pytest.fixture
async def pages() -> AsyncIterator[WebPages]:
    async with fetching() as made:
        yield made


async def refusal(pages: WebPages, url: str) -> str:
    """Return why there is no page."""
    with pytest.raises(NoPageError) as caught:
        await pages.get(url)
    return str(caught.value)


async def test_page__is_read_as_whom_we_say_and_without_the_fragment(site: Site, pages: WebPages) -> None:
    found = await pages.get(f"{site.url}/größe?a=b#part")

    assert (found.url, found.charset) == (f"{site.url}/gr%C3%B6%C3%9Fe?a=b", "iso-8859-1")
    assert found.html.startswith(b"<title>A page</title>")
    assert (site.asked, site.headers["user-agent"]) == (["/gr%C3%B6%C3%9Fe?a=b"], "Tests/1.0")
    assert not {"cookie", "authorization", "referer"} & set(site.headers)


async def test_cookie__is_not_kept(site: Site, pages: WebPages) -> None:
    async def setting(_: web.Request) -> web.StreamResponse:
        return web.Response(text="x", headers=HTML | {"set-cookie": "a=b"}, content_type=None)

    site.respond = setting
    await pages.get(site.url)
    await pages.get(site.url)
    assert "cookie" not in site.headers


async def test_server__that_hangs__ends_at_the_deadline(site: Site, pages: WebPages) -> None:
    async def hanging(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    site.respond = hanging
    assert await refusal(pages, site.url) == "timeout"


async def test_page__that_trickles__ends_at_the_deadline(site: Site, pages: WebPages) -> None:
    async def trickling(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HTML)
        await response.prepare(request)
        for _ in range(1_000):
            await response.write(b"<")
            await asyncio.sleep(0.05)
        return response

    site.respond = trickling
    assert await refusal(pages, site.url) == "timeout"


def endless(head: bytes, chunk: bytes, **headers: str) -> Respond:
    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HTML | headers)
        await response.prepare(request)
        await response.write(head)
        while True:
            await response.write(chunk)

    return respond


async def test_page__without_end__is_read_to_the_most(site: Site, pages: WebPages) -> None:
    site.respond = endless(b"<title>A page</title>", b"x" * 10_000)
    found = await pages.get(site.url)
    assert (found.html[:21], len(found.html)) == (b"<title>A page</title>", MAX_BYTES)


async def test_page__whose_head_ends__is_read_no_further(site: Site, pages: WebPages) -> None:
    site.respond = endless(b"<title>A page</title></he", b"AD><body>" + b"x" * 10_000)
    assert len((await pages.get(site.url)).html) < MAX_BYTES


async def test_page__said_to_be_huge__is_read_to_the_most(site: Site, pages: WebPages) -> None:
    async def huge(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HTML | {"content-length": str(10**12)})
        await response.prepare(request)
        await response.write(b"x" * 200_000)
        return response

    site.respond = huge
    assert len((await pages.get(site.url)).html) == MAX_BYTES


async def test_gzip__is_unpacked_to_the_most(site: Site, pages: WebPages) -> None:
    packed = gzip.compress(b"<title>A page</title>" + b"x" * 100_000_000)
    assert len(packed) < 100_000

    async def bomb(_: web.Request) -> web.StreamResponse:
        return web.Response(body=packed, headers=HTML | {"content-encoding": "gzip"})

    site.respond = bomb
    found = await pages.get(site.url)
    assert (found.html[:21], len(found.html)) == (b"<title>A page</title>", MAX_BYTES)


@pytest.mark.parametrize(
    ("encoding", "body"), [("gzip", b"no gzip"), ("deflate", zlib.compress(b"x")), ("br", b"x"), ("gzip, gzip", b"x")]
)
async def test_encoding__that_is_broken_or_not_asked_for__is_refused(
    site: Site, pages: WebPages, encoding: str, body: bytes
) -> None:
    async def encoded(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers=HTML | {"content-encoding": encoding})

    site.respond = encoded
    assert await refusal(pages, site.url) in ("broken", "encoding")


@pytest.mark.parametrize("content_type", ["application/json", "image/png", "text/plain", "application/octet-stream"])
async def test_what_is_not_html__is_refused(site: Site, pages: WebPages, content_type: str) -> None:
    async def other(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"<title>A page</title>", content_type=content_type)

    site.respond = other
    assert await refusal(pages, site.url) == "not_html"


async def test_status__of_an_error__is_no_page(site: Site, pages: WebPages) -> None:
    async def missing(_: web.Request) -> web.StreamResponse:
        return web.Response(status=404, body=b"<title>Not found</title>", headers=HTML)

    site.respond = missing
    assert await refusal(pages, site.url) == "status"


async def test_what_is_no_http__is_refused(pages: WebPages) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n" * 10)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await refusal(pages, f"http://127.0.0.1:{port}/") == "broken"


def redirecting(to: str, status: int = 302) -> Respond:
    async def respond(request: web.Request) -> web.StreamResponse:
        if request.path == "/there":
            return await page(request)
        return web.Response(status=status, headers={"location": to})

    return respond


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect__is_followed(site: Site, pages: WebPages, status: int) -> None:
    site.respond = redirecting("/there#part", status)
    assert (await pages.get(f"{site.url}/here")).url == f"{site.url}/there"


async def test_redirects__without_end__are_not(site: Site, pages: WebPages) -> None:
    site.respond = redirecting("/here")
    assert await refusal(pages, f"{site.url}/here") == "redirects"
    assert len(site.asked) == 4


@pytest.mark.parametrize(
    "to",
    [
        *("http://127.0.0.2:{port}/there", "http://[::1]:{port}/there", "http://[::ffff:127.0.0.2]:{port}/there"),
        *("http://2130706434:{port}/there", "http://0x7f000002:{port}/there", "http://127.2:{port}/there"),
        *("http://0177.0.0.2:{port}/there", "https://169.254.169.254/latest/meta-data/", "https://10.0.0.1/"),
        *(
            "http://[fd00:ec2::254]/",
            "https://100.100.100.200/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "http://0:{port}/there",
        ),
    ],
)
async def test_redirect__to_what_is_inside__is_not_followed(site: Site, to: str) -> None:
    port = site.url.rpartition(":")[2]
    site.respond = redirecting(to.format(port=port))
    async with fetching("127.0.0.1/32") as pages:
        assert await refusal(pages, f"{site.url}/here") == "forbidden_address"
    assert site.asked == ["/here"]


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "http://", "javascript:x", ""]
)
async def test_redirect__to_what_is_no_web_page__is_not_followed(site: Site, pages: WebPages, to: str) -> None:
    site.respond = redirecting(to)
    assert await refusal(pages, f"{site.url}/here") in ("invalid_url", "redirects", "broken")


@pytest.mark.parametrize(
    "link",
    [
        *(
            "http://127.0.0.1:{port}/",
            "https://127.0.0.1:{port}/",
            "https://localhost:{port}/",
            "https://[::1]:{port}/",
        ),
        *("https://2130706433:{port}/", "https://0x7f000001:{port}/", "https://127.1:{port}/", "https://0:{port}/"),
        *("https://0177.0.0.1:{port}/", "https://[::ffff:7f00:1]:{port}/", "https://[::127.0.0.1]:{port}/"),
        *("https://169.254.169.254/latest/meta-data/", "https://[fd00:ec2::254]/", "https://100.100.100.200/"),
    ],
)
async def test_link__to_what_is_inside__is_not_asked(site: Site, link: str) -> None:
    async with fetching("192.0.2.0/24") as pages:
        assert await refusal(pages, link.format(port=site.url.rpartition(":")[2])) == "forbidden_address"
    assert site.asked == []


@pytest.mark.parametrize("link", ["http://1.1.1.1/", "https://user@127.0.0.1/", "https://", "https://nowhere.invalid/"])
async def test_link__that_we_do_not_call__is_refused(pages: WebPages, link: str) -> None:
    assert await refusal(pages, link) in ("invalid_url", "broken")


async def test_name__that_resolves_elsewhere_after_the_check__is_not_asked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["1.1.1.1"])
    resolve = socket.getaddrinfo

    def rebinding(host: str, port: int | None, **options: int) -> list[Any]:
        address = next(answers, "127.0.0.1") if host == "rebinding.example" else host
        return resolve(address, port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    async with fetching("192.0.2.0/24") as pages:
        port = site.url.rpartition(":")[2]
        assert await refusal(pages, f"https://rebinding.example:{port}/") == "forbidden_address"
    assert site.asked == []
    assert next(answers, None) is None


async def test_names__whose_servers_do_not_answer__delay_no_other_names(
    pages: WebPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve, over = socket.getaddrinfo, threading.Event()

    def hanging(host: str, port: int | None, *args: Any, **options: Any) -> list[Any]:
        if host == "hanging.example":
            over.wait(30)
        return resolve("127.0.0.1", port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    async with asyncio.TaskGroup() as asking:
        for _ in range(20):  # more than the threads that all of a process shares
            asking.create_task(refusal(pages, "https://hanging.example/"))
        await asyncio.sleep(0)
        async with asyncio.timeout(TIMEOUT_S / 2):
            await asyncio.get_running_loop().getaddrinfo("push.example", 443)
        over.set()
