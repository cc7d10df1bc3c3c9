"""Calls to addresses that users give: to public ones only, so that nobody reaches what is inside by way of us.

A URL is checked when it is given, its host's addresses included, and each connection once more by the address that it
is really made to, since a name may resolve differently by then. Redirects are the caller's to refuse.
"""

import asyncio
import socket
from collections.abc import Iterable
from concurrent.futures import Executor
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

Network = IPv4Network | IPv6Network

MAX_URL_CHARS = 2048
RESOLVE_TIMEOUT_S = 5.0

_NAT64 = IPv6Network("64:ff9b::/96")


class ForbiddenAddressError(OSError):
    """The address is not public."""


class InvalidUrlError(ValueError):
    """Not a URL that we call; the text says why."""


class Outbound:
    """Says which addresses may be called: public ones, and those of the networks that the operator names.

    `threads`: where names are resolved; None: in those that everything else of the process resolves its names in, which
    wait while the servers of somebody's name do not answer.
    """

    def __init__(self, allowed: Iterable[Network] = (), threads: Executor | None = None) -> None:
        self._allowed = tuple(allowed)
        self._threads = threads

    def permits(self, address: str) -> bool:
        """Return whether it may be connected to. Text that is no address may not."""
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if any(parsed.version == network.version and parsed in network for network in self._allowed):
            return True
        inner = _inner(parsed)
        if inner is not None:
            return self.permits(str(inner))
        return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified)

    async def check(self, url: str) -> None:
        """Check a URL that was given: https, or http to a network that the operator names.

        Raises:
            InvalidUrlError: not such a URL, or its host has no address.
            ForbiddenAddressError: its host is, or now resolves to, an address that is not permitted.
        """
        parts = _split(url)
        assert parts.hostname is not None
        addresses = await self._resolve(parts.hostname)
        if not all(map(self.permits, addresses)):
            raise ForbiddenAddressError("must be a public address")
        if parts.scheme == "http" and not all(map(self._is_named, addresses)):
            raise InvalidUrlError("must be an https:// URL")

    def connector(self, **options: Any) -> aiohttp.TCPConnector:
        """Return a connector that refuses, with `ForbiddenAddressError` in the chain, what is not permitted."""
        if self._threads is not None:
            options.setdefault("resolver", _Resolver(self._threads))
        return aiohttp.TCPConnector(socket_factory=self._open_socket, **options)

    async def _resolve(self, host: str) -> list[str]:
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                found = await _look_up(self._threads, host)
        except (OSError, UnicodeError, TimeoutError):
            raise InvalidUrlError("must have a host that can be found") from None
        return [str(info[4][0]) for info in found]

    def _open_socket(self, info: Any) -> socket.socket:
        family, kind, protocol, _, peer = info
        if not self.permits(peer[0]):
            raise ForbiddenAddressError("not a public address")
        opened = socket.socket(family=family, type=kind, proto=protocol)
        opened.setblocking(False)
        return opened

    def _is_named(self, address: str) -> bool:
        parsed = ip_address(address.partition("%")[0])
        return any(parsed.version == network.version and parsed in network for network in self._allowed)


def is_forbidden(error: BaseException) -> bool:
    """Return whether a call failed because the address is not permitted."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        if isinstance(one, ForbiddenAddressError):
            return True
        seen.add(id(one))
        waiting += [one.__cause__, one.__context__, getattr(one, "os_error", None)]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
    return False


def _split(url: str) -> SplitResult:
    if len(url) > MAX_URL_CHARS:
        raise InvalidUrlError(f"must have at most {MAX_URL_CHARS} characters")
    if not url.isascii() or any(c.isspace() or not c.isprintable() or c == "\\" for c in url):
        raise InvalidUrlError("must be a URL in ASCII without spaces")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidUrlError("must be a URL") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise InvalidUrlError("must be an https:// URL")
    if "@" in parts.netloc or parts.fragment:
        raise InvalidUrlError("must have no user part and no fragment")
    return parts


class _Resolver(AbstractResolver):
    """Resolves the names of connections in threads of their owner."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=str(info[4][0]),
                port=port,
                family=info[0],
                proto=info[2],
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for info in await _look_up(self._threads, host, family)
        ]

    async def close(self) -> None:
        """The threads are not its own."""


async def _look_up(threads: Executor | None, host: str, family: int = socket.AF_UNSPEC) -> list[Any]:
    look_up = partial(socket.getaddrinfo, host, None, family=family, type=socket.SOCK_STREAM)
    return await asyncio.get_running_loop().run_in_executor(threads, look_up)


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 one stands for, where translators and tunnels lead to it."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
