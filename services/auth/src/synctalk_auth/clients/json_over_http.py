"""Reading a JSON document of another party: bounded in size and time, and no redirects, which are somebody else's."""

from typing import Any

import aiohttp
import orjson

MAX_BYTES = 256 * 1024
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}

FAILURES = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""What a call may raise."""


async def get_object(url: str, timeout_s: float) -> dict[str, Any]:
    """Return the object at an address. Raises one of `FAILURES`."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_s)) as http,
        http.get(url, headers=HEADERS, allow_redirects=False) as answer,
    ):
        if answer.status != 200:
            raise ValueError("not answered with 200")
        return await read_object(answer)


async def read_object(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    """Raises one of `FAILURES`."""
    content = bytearray()
    async for chunk in answer.content.iter_chunked(16 * 1024):
        content += chunk
        if len(content) > MAX_BYTES:
            raise ValueError("too large")
    document = orjson.loads(content)
    if not isinstance(document, dict):
        raise ValueError("no object")
    return document
