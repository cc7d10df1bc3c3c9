"""A transient message on a connection that is going: unavailable, whatever the loop says of its transport."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import cast

import pytest
import uvloop
from aiormq.channel import Channel
from synctalk_runtime.amqp import Connection, Publisher
from synctalk_runtime.errors import UnavailableError

TUNE = SimpleNamespace(frame_max=131_072)
CHANNEL = cast(Channel, SimpleNamespace(is_closed=False, number=1, connection=SimpleNamespace(connection_tune=TUNE)))


async def _publish_after(going: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> None:
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read()
        await _closed(writer)
        served.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    publisher = Publisher(cast(Connection, SimpleNamespace(streams=SimpleNamespace(writer=writer))), CHANNEL)
    publisher.publish_transient("e", "k", b"{}", ttl_ms=5000)
    await going(writer)
    with pytest.raises(UnavailableError):
        publisher.publish_transient("e", "k", b"{}", ttl_ms=5000)
    await _closed(writer)
    await served.wait()
    server.close()
    await server.wait_closed()


async def _aborted(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _ended(writer: asyncio.StreamWriter) -> None:
    writer.write_eof()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("going", [_aborted, _closed, _ended])
def test_publish__on_a_connection_that_is_going__is_unavailable(
    going: Callable[[asyncio.StreamWriter], Awaitable[None]], loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(_publish_after(going))
