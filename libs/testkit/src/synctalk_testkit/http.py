"""HTTP as tests read it: the whole response at once, refusals included."""

from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson


@dataclass(frozen=True)
class Response:
    """One response. `body` is the decoded JSON, the text of anything else, or None when there is none."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str | None:
        """The error's code; None when this is no error body."""
        if not (isinstance(self.body, dict) and "error" in self.body):
            return None
        assert set(self.body) == {"error"}, self
        assert isinstance(self.body["error"]["message"], str), self
        return str(self.body["error"]["code"])

    @property
    def fields(self) -> set[str]:
        """The fields that an `invalid` names."""
        assert self.code == "invalid", self
        return {detail["field"] for detail in self.body["error"]["details"]}


async def request(http: aiohttp.ClientSession, method: str, url: str, **options: Any) -> Response:
    async with http.request(method, url, **options) as response:
        content = await response.read()
        is_json = "json" in response.content_type
        body = orjson.loads(content) if content and is_json else await response.text() or None
        return Response(response.status, body, dict(response.headers))
