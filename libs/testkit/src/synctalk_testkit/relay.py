"""A TCP relay before a real server, by which a test cuts or freezes what is in between.

async with relay_to(redis_url) as relay:
    client = connect(relay.url)
    relay.freeze()   # nothing passes any more, and nobody is notified
    relay.cut()      # all connections are reset, new ones too
    relay.mend()     # as it was
    relay.lead_to(other_url)  # as an address that fails over: everybody is cut, and comes to the other server
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

CHUNK = 65_536


class Relay:
    """From a port of its own to the server that the url names."""

    def __init__(self, target_url: str) -> None:
        self._target = urlsplit(target_url)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self.url = ""
        """As the target's, through the relay."""

    @property
    def connections(self) -> int:
        """Return how many connections are open through it now."""
        return len(self._writers) // 2

    def freeze(self) -> None:
        self._flowing.clear()

    def cut(self) -> None:
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def lead_to(self, target_url: str) -> None:
        self.cut()
        self._target = urlsplit(target_url)
        self.mend()

    def mend(self) -> None:
        self._is_cut = False
        self._flowing.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        host, port = self._target.hostname or "127.0.0.1", self._target.port or 0
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            pump = asyncio.create_task(self._pump(source, sink, (writer, far_writer)))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, both: tuple[asyncio.StreamWriter, ...]
    ) -> None:
        try:
            while data := await source.read(CHUNK):
                await self._flowing.wait()
                sink.write(data)
                await sink.drain()
        except OSError:
            pass  # one side is gone: so is the other
        finally:
            for writer in both:
                self._writers.discard(writer)
                writer.close()

    async def end(self) -> None:
        self.cut()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)


@asynccontextmanager
async def relay_to(target_url: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Relay]:
    """With `tls` it ends TLS before the server; then the scheme of its `url` is still the server's own."""
    relay = Relay(target_url)
    server = await asyncio.start_server(relay.accept, "127.0.0.1", 0, ssl=tls)
    parts = urlsplit(target_url)
    account = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    netloc = f"{account}127.0.0.1:{server.sockets[0].getsockname()[1]}"
    relay.url = urlunsplit((parts.scheme, netloc, parts.path, parts.query, parts.fragment))
    try:
        yield relay
    finally:
        server.close()
        await relay.end()
