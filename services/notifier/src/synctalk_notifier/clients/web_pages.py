"""Pages on the web that messages link to: fetched from public addresses only, by the beginning, once, within a time.

Whatever a server does (hang, never end, send a gigabyte in a kilobyte, redirect to what is inside), the call ends in
time with a `Page` or with the reason why there is none. Nothing of a page is run, and only its head is read.
"""

import asyncio
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import aiohttp
from synctalk_runtime.outbound import ForbiddenAddressError, InvalidUrlError, Network, Outbound, is_forbidden
from yarl import URL

MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
TYPES = ("text/html", "application/xhtml+xml")
ENCODINGS = ("", "identity", "gzip")
CHUNK_BYTES = 16_384
MAX_HEADER_BYTES = 16_384
HEAD_END = b"</head"
RESOLVING_THREADS = 32
"""A name whose servers do not answer keeps one for some 20 s, four times as long as a page may take."""


@dataclass(frozen=True, slots=True)
class Page:
    """The beginning of a page: its head, if that is complete in it."""

    url: str
    """Where it was found, after redirects."""
    charset: str | None
    """As its server says."""
    html: bytes


class NoPageError(Exception):
    """There is no page to be had; the text says why, in a word for metrics."""


class WebPages:
    """Gets pages, as `user_agent`, from public addresses and those of the networks that the operator names."""

    def __init__(
        self, private_networks: Iterable[Network], *, user_agent: str, timeout_s: float, max_bytes: int
    ) -> None:
        self._threads = ThreadPoolExecutor(RESOLVING_THREADS, "pages")
        self._outbound = Outbound(private_networks, self._threads)
        self._user_agent = user_agent
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._http = aiohttp.ClientSession(
            connector=self._outbound.connector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            headers={
                "user-agent": self._user_agent,
                "accept": ", ".join(TYPES),
                "accept-encoding": "gzip",
                "accept-language": "en, *;q=0.5",
            },
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def get(self, link: str) -> Page:
        """Return the page behind a link, at the deadline at the latest. Raises NoPageError."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(link)
        except TimeoutError:
            raise NoPageError("timeout") from None
        except InvalidUrlError:
            raise NoPageError("invalid_url") from None
        except ForbiddenAddressError:
            raise NoPageError("forbidden_address") from None
        except (aiohttp.ClientError, OSError, ValueError, zlib.error) as error:
            raise NoPageError("forbidden_address" if is_forbidden(error) else "broken") from None

    async def _follow(self, link: str) -> Page:
        url = URL(link).with_fragment(None)
        for _ in range(MAX_REDIRECTS + 1):
            await self._outbound.check(str(url))
            found = await self._request(url)
            if isinstance(found, Page):
                return found
            url = found
        raise NoPageError("redirects")

    async def _request(self, url: URL) -> Page | URL:
        """Return the page, or where it is instead: that is checked like the first address."""
        assert self._http is not None, "open() first"
        async with self._http.get(url, allow_redirects=False) as response:
            if response.status in REDIRECTS:
                return url.join(URL(response.headers.get("location", ""))).with_fragment(None)
            if response.status != 200:
                raise NoPageError("status")
            if response.content_type not in TYPES:
                raise NoPageError("not_html")
            encoding = response.headers.get("content-encoding", "").strip().lower()
            if encoding not in ENCODINGS:
                raise NoPageError("encoding")
            html = await self._beginning(response.content, is_gzip=encoding == "gzip")
            response.close()
            return Page(str(url), response.charset, html)

    async def _beginning(self, content: aiohttp.StreamReader, *, is_gzip: bool) -> bytes:
        """Read the page's head, and no more bytes, packed or unpacked, than the most."""
        unpacking = zlib.decompressobj(wbits=31) if is_gzip else None
        html = bytearray()
        received = 0
        async for chunk in content.iter_chunked(CHUNK_BYTES):
            received += len(chunk)
            before, space = len(html), self._max_bytes - len(html)
            html += chunk[:space] if unpacking is None else unpacking.decompress(chunk, space)
            if len(html) >= self._max_bytes or received >= self._max_bytes:
                break
            if HEAD_END in html[max(0, before - len(HEAD_END)) :].lower():
                break
        return bytes(html)


def host_of(link: str) -> str:
    """Return the host that a link leads to, empty where it is no URL."""
    try:
        return URL(link).host or ""
    except ValueError:
        return ""
