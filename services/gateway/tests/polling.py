"""A client of the polling transport."""

import json
from abc import ABC, abstractmethod
from typing import Any


class PollingClient(ABC):
    """A client of whatever `request` reaches: a process, or the protocol in memory."""

    @abstractmethod
    async def request(self, method: str, *, data: Any = None, headers: Any = None, **query: str) -> tuple[int, str]:
        """Return status and text."""

    async def open_polling(self) -> str:
        """A session's sid."""
        status, text = await self.request("GET", transport="polling")
        assert status == 200, text
        sid: str = json.loads(text[1:])["sid"]
        return sid

    async def connect_polling(self) -> str:
        """A session's sid, with CONNECT answered."""
        sid = await self.open_polling()
        assert (await self.post(sid, "40"))[0] == 200
        assert (await self.poll(sid))[1].startswith("40")
        return sid

    async def poll(self, sid: str) -> tuple[int, str]:
        return await self.request("GET", transport="polling", sid=sid)

    async def post(self, sid: str, data: Any) -> tuple[int, str]:
        return await self.request("POST", transport="polling", sid=sid, data=data)
