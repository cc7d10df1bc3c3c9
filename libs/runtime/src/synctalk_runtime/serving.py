"""uvicorn, sleeping when there is nothing to do.

uvicorn looks ten times a second whether it should stop, in each process for ever. Here the signal says so.
"""

import asyncio
import sys
from types import FrameType
from typing import Any

import uvicorn

from synctalk_runtime.settings import BaseServiceSettings

STARTUP_FAILED = 3


def config_of(app: Any, settings: BaseServiceSettings, **options: Any) -> uvicorn.Config:
    """Return the configuration that all services share, with options of uvicorn's beside."""
    return uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=settings.shutdown_timeout_s,
        **options,
    )


class Server(uvicorn.Server):
    """Stops when `handle_exit` was called, by a signal or by whoever decides to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._exiting = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)  # puts the default headers in place
        if not self.should_exit:
            await self._exiting.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._exiting.set)


def run(config: uvicorn.Config) -> None:
    """Serve until a signal stops it; end the process when the start failed, as uvicorn does."""
    server = Server(config)
    server.run()
    if not server.started:
        sys.exit(STARTUP_FAILED)
