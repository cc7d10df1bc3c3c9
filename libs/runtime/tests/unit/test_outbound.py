"""Which addresses may be called for users, when a URL is given and at the connection."""

from ipaddress import ip_network

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from synctalk_runtime.outbound import ForbiddenAddressError, InvalidUrlError, Outbound, is_forbidden

PUBLIC = Outbound()
LOCAL = Outbound([ip_network("127.0.0.0/8"), ip_network("::1/128")])


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1"),  # noqa: S104
        *("192.0.0.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1"),
        *("", "localhost", "1", "0x7f.1"),
    ],
)
def test_permits__what_is_not_public__is_forbidden(address: str) -> None:
    assert PUBLIC.permits(address) is False


@pytest.mark.parametrize("address", ["1.1.1.1", "142.250.1.1", "2606:4700::1", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_permits__public_addresses(address: str) -> None:
    assert PUBLIC.permits(address) is True


@pytest.mark.parametrize(("address", "permitted"), [("127.0.0.1", True), ("::1", True), ("10.0.0.1", False)])
def test_permits__networks_that_are_named(address: str, permitted: bool) -> None:
    assert LOCAL.permits(address) is permitted


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "x",
            "ftp://1.1.1.1/",
            "//1.1.1.1/",
            "https://",
            "https:///x",
            "https://1.1.1.1:0/",
            "https://1.1.1.1:x/",
        ),
        *("https://user@1.1.1.1/", "https://user:word@1.1.1.1/", "https://1.1.1.1/#part", "https://1.1.1.1/a b"),
        *("https://1.1.1.1/\n", "https://1.1.1.1\\@127.0.0.1/", "https://münchen.example/", "https://[::1/"),
        *("http://1.1.1.1/", "https://nowhere.invalid/", "https://1.1.1.1/" + "x" * 2048),
    ],
)
async def test_check__of_no_url_that_we_call__is_invalid(url: str) -> None:
    with pytest.raises(InvalidUrlError):
        await PUBLIC.check(url)


@pytest.mark.parametrize(
    "url",
    [
        *("https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://0/"),
        *("https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://169.254.169.254/latest/meta-data"),
        *("http://127.0.0.1/", "http://localhost:8080/"),
    ],
)
async def test_check__of_an_inner_address__is_forbidden(url: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        await PUBLIC.check(url)


async def test_check__public_or_named__is_well() -> None:
    await PUBLIC.check("https://1.1.1.1:8443/path?query=1")
    await LOCAL.check("http://127.0.0.1:8080/path")
    await LOCAL.check("https://localhost/")


class _Rebinding(AbstractResolver):
    """Resolves every name to the loopback, as a name does that was public when it was checked."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=2, proto=6, flags=0)]

    async def close(self) -> None:
        pass


async def _nothing(_: web.Request) -> web.Response:
    return web.Response(status=204)


async def _serve(outbound: Outbound, url: str) -> int:
    """Call a server on the loopback; return its answer's status."""
    app = web.Application()
    app.router.add_get("/", _nothing)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with (
            aiohttp.ClientSession(connector=outbound.connector(resolver=_Rebinding())) as http,
            http.get(url.format(port=port)) as response,
        ):
            return response.status
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("url", ["http://push.example:{port}/", "http://127.0.0.1:{port}/"])
async def test_connector__an_inner_address__is_refused_at_the_connection(url: str) -> None:
    with pytest.raises(aiohttp.ClientError) as caught:
        await _serve(PUBLIC, url)
    assert is_forbidden(caught.value)
    assert await _serve(LOCAL, url) == 204


def test_is_forbidden__of_another_failure__is_not() -> None:
    error = OSError("refused")
    error.__cause__ = ValueError()
    error.__cause__.__context__ = error
    assert is_forbidden(error) is False
