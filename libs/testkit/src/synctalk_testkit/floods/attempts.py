"""The floods, one function each: what a single connection does until it is thrown out."""

import json
import secrets
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from synctalk_testkit.floods.target import Attempt, Outcome, Target
from synctalk_testkit.floods.wires import (
    CONTINUATION,
    PING,
    TEXT,
    Wire,
    connected,
    frame,
    signed_in,
    text,
    websocket,
)

JSON = {"Content-Type": "application/json"}
FORGED = (
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImEifQ."
    "eyJpc3MiOiJzeW5jdGFsayIsImF1ZCI6InN5bmN0YWxrIiwic3ViIjoiYSIsImV4cCI6OTk5OTk5OTk5OX0." + "A" * 86
)
MANY = 1_000
IDLE_SOCKETS = 50

Bodies = Callable[[], dict[str, Any]]


async def fragments(target: Target, outcome: Outcome, until: float) -> None:
    """Send one message in one-byte pieces, without an account."""
    async with websocket(target) as wire:
        await wire.send(frame(TEXT, b"4", final=False))
        await _pour(wire, outcome, until, frame(CONTINUATION, b"x", final=False) * MANY)


async def empty_fragments(target: Target, outcome: Outcome, until: float) -> None:
    async with websocket(target) as wire:
        await wire.send(frame(TEXT, b"", final=False))
        await _pour(wire, outcome, until, frame(CONTINUATION, b"", final=False) * MANY)


async def pings(target: Target, outcome: Outcome, until: float) -> None:
    """Websocket pings whose pongs are never read."""
    async with websocket(target) as wire:
        await _pour(wire, outcome, until, frame(PING, b"p" * 125) * MANY)


async def probes(target: Target, outcome: Outcome, until: float) -> None:
    """Upgrade candidates of a polling session that never upgrade."""
    async with connected(target) as polling:
        await polling.send(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: edge\r\n\r\n")
        answer = await polling.reader.readuntil(b"}")
        if b'"sid":"' not in answer:
            raise EOFError
        sid = answer.split(b'"sid":"', 1)[1].split(b'"', 1)[0].decode()
        async with websocket(target, f"&sid={sid}") as wire:
            await _pour(wire, outcome, until, text("2probe") * MANY)


async def polling_handshakes(target: Target, outcome: Outcome, until: float) -> None:
    await _requests(target, outcome, until, "GET", "/socket.io/?EIO=4&transport=polling")


async def idle_websockets(target: Target, outcome: Outcome, until: float) -> None:
    """Many websockets that never say who they are."""
    async with AsyncExitStack() as opened:
        for _ in range(IDLE_SOCKETS):
            await opened.enter_async_context(websocket(target))
            outcome["sent"] += 1
            if time.monotonic() > until:
                return


async def forged_tokens(target: Target, outcome: Outcome, until: float) -> None:
    """CONNECT with a token that nobody signed."""
    while time.monotonic() < until:
        async with websocket(target) as wire:
            await wire.send(text(f'40{{"token":"{FORGED}"}}'))
            await wire.reader.readuntil(b"44{")
            outcome["refused"] += 1


async def forged_bearers(target: Target, outcome: Outcome, until: float) -> None:
    headers = {"Authorization": f"Bearer {FORGED}"}
    await _requests(target, outcome, until, "GET", "/v1/conversations", headers)


async def logins(target: Target, outcome: Outcome, until: float) -> None:
    """A new name each time."""
    await _posts(target, outcome, until, "/v1/auth/login", lambda: {"username": _name(), "password": "x" * 12})


async def registrations(target: Target, outcome: Outcome, until: float) -> None:
    body = {"password": "correct horse battery staple"}
    await _posts(target, outcome, until, "/v1/auth/register", lambda: {"username": _name(), **body})


async def refreshes(target: Target, outcome: Outcome, until: float) -> None:
    await _posts(target, outcome, until, "/v1/auth/refresh", lambda: {"refresh_token": secrets.token_urlsafe(32)})


async def searches(target: Target, outcome: Outcome, until: float) -> None:
    headers = {"Authorization": f"Bearer {target.token}"}
    await _requests(target, outcome, until, "GET", "/v1/search/messages?q=hello", headers)


async def groups_of_unrelated_users(target: Target, outcome: Outcome, until: float) -> None:
    headers = {"Authorization": f"Bearer {target.token}"}
    body = {"type": "group", "title": "Hello", "member_ids": list(target.user_ids)}
    await _posts(target, outcome, until, "/v1/conversations", lambda: body, headers)


async def unknown_events(target: Target, outcome: Outcome, until: float) -> None:
    async with signed_in(target) as wire:
        await _pour(wire, outcome, until, text('421["no:such",{}]') * MANY)


async def pongs(target: Target, outcome: Outcome, until: float) -> None:
    async with signed_in(target) as wire:
        await _pour(wire, outcome, until, text("3") * MANY)


async def typing(target: Target, outcome: Outcome, until: float) -> None:
    """Start and stop, over and over."""
    payload = json.dumps({"conversation_id": target.conversation_id})
    async with signed_in(target) as wire:
        both = text(f'421["typing:start",{payload}]') + text(f'422["typing:stop",{payload}]')
        await _pour(wire, outcome, until, both * 50)


async def watching(target: Target, outcome: Outcome, until: float) -> None:
    payload = json.dumps({"user_ids": list(target.user_ids)})
    async with signed_in(target) as wire:
        both = text(f'421["presence:subscribe",{payload}]') + text(f'422["presence:unsubscribe",{payload}]')
        await _pour(wire, outcome, until, both * 10)


async def reconnects(target: Target, outcome: Outcome, until: float) -> None:
    """Connect and disconnect with a good token."""
    while time.monotonic() < until:
        async with signed_in(target):
            outcome["sent"] += 1


async def _pour(wire: Wire, outcome: Outcome, until: float, data: bytes) -> None:
    """Write without reading until it is cut off."""
    while time.monotonic() < until and not wire.writer.is_closing():
        await wire.send(data)
        outcome["sent"] += 1
        if wire.reader.at_eof():  # what is written from here on goes nowhere
            raise EOFError


async def _requests(
    target: Target, outcome: Outcome, until: float, method: str, path: str, headers: dict[str, str] | None = None
) -> None:
    async with connected(target) as wire:
        while time.monotonic() < until:
            outcome[str(await wire.request(method, path, headers or {}))] += 1


async def _posts(
    target: Target,
    outcome: Outcome,
    until: float,
    path: str,
    make_body: Bodies,
    headers: dict[str, str] | None = None,
) -> None:
    async with connected(target) as wire:
        while time.monotonic() < until:
            body = json.dumps(make_body()).encode()
            sized = {**JSON, **(headers or {}), "Content-Length": str(len(body))}
            outcome[str(await wire.request("POST", path, sized, body))] += 1


def _name() -> str:
    return f"nobody-{secrets.token_hex(8)}"


FLOODS: dict[str, Attempt] = {
    attempt.__name__: attempt
    for attempt in (
        fragments,
        empty_fragments,
        pings,
        probes,
        polling_handshakes,
        idle_websockets,
        forged_tokens,
        forged_bearers,
        logins,
        registrations,
        refreshes,
        searches,
        groups_of_unrelated_users,
        unknown_events,
        pongs,
        typing,
        watching,
        reconnects,
    )
}
