"""The polling transport: GET fetches packets, POST brings some; one of each at a time for a session.

A body is bounded while it is read. Its packets are taken in turns with other sockets' work, and the next body is read
when there is space in the session's inbox.
"""

import asyncio
import re

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from synctalk_runtime import cors
from synctalk_runtime.addresses import client_address
from synctalk_runtime.app import error_response
from synctalk_runtime.errors import AppError, MalformedError, TooLargeError, UnavailableError

from synctalk_gateway.protocol.engine import Engine, parse_query
from synctalk_gateway.protocol.engine_socket import EngineSocket
from synctalk_gateway.protocol.outbox import NOOP, SEPARATOR, payload
from synctalk_gateway.settings import Settings

METHODS = "OPTIONS, GET, POST"
BODY_TIMEOUT_S = 10.0
PACKETS_PER_TURN = 256
"""Packets of one body before other sockets have their turn."""

PACKET = re.compile(r"[0-6b]")
"""The beginning of an Engine.IO packet."""


async def serve(engine: Engine, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request."""
    request = Request(scope, receive)
    try:
        response = await _answer(engine, request)
    except AppError as error:
        response = error_response(error)
    except ClientDisconnect:
        return
    response.headers["Cache-Control"] = "no-store"
    _allow_origin(engine, request.headers, response)
    await response(scope, receive, send)


async def _answer(engine: Engine, request: Request) -> Response:
    engine.check_origin(request.headers.get("origin"), request.headers.get("host"))
    if request.method == "OPTIONS":
        return PlainTextResponse("")
    query = parse_query(request.url.query)
    if query.get("transport") != "polling":
        raise MalformedError("Only the polling transport is supported here.")
    if "sid" not in query:
        return _open(engine, request, query)
    session = engine.sockets.get(query["sid"])
    if session is None or session.websocket is not None:
        raise MalformedError("Unknown session.")
    if request.method == "GET":
        return PlainTextResponse(await _poll(session))
    if request.method == "POST":
        await _post(engine, session, request)
        return PlainTextResponse("ok")
    raise MalformedError("Polling supports GET and POST only.")


def _open(engine: Engine, request: Request, query: dict[str, str]) -> Response:
    if request.method != "GET":
        raise MalformedError("A polling session must start with GET.")
    peer = request.client.host if request.client is not None else ""
    address = client_address(request.headers.get("x-forwarded-for"), peer)
    engine.check_handshake(query, address)
    return PlainTextResponse(engine.open_polling(address))


async def _poll(session: EngineSocket) -> str:
    """Return the next payload. When another poll is open, end the session and raise MalformedError."""
    if session.outbox.is_polled():
        session.end()
        raise MalformedError("This session already has an open poll.")
    if not (session.ended or session.candidate.probed):
        await session.outbox.wait()
    if session.candidate.probed or session.websocket is not None:
        return NOOP
    taken = payload(session.outbox.take())
    if session.ended:
        session.forget()
    else:
        session.inbox.resume()
    return taken


async def _post(engine: Engine, session: EngineSocket, request: Request) -> None:
    """Take one body, once the inbox has space.

    Raises:
        MalformedError: another body is being taken, or this is none; the session is ended.
        UnavailableError: the inbox had no space in time; the session is ended.
    """
    if session.posting:
        session.end()
        raise MalformedError("This session already has a request in progress.")
    session.posting = True
    try:
        await _wait_for_space(session, engine.settings.ping_timeout_s)
        await _take(session, await _read(session, request, engine.settings))
        await _pause(session)
    finally:
        session.posting = False


async def _wait_for_space(session: EngineSocket, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await session.inbox.wait_for_space()
    except TimeoutError:
        session.end()
        raise UnavailableError from None


async def _take(session: EngineSocket, body: str) -> None:
    for number, text in enumerate(body.split(SEPARATOR) if body else (), 1):
        if PACKET.match(text) is None:
            session.end()
            raise MalformedError("The body must be a polling payload.")
        session.on_packet(text)
        if number % PACKETS_PER_TURN == 0:
            await asyncio.sleep(0)


async def _pause(session: EngineSocket) -> None:
    """Take the next body later when packets of this one were refused."""
    if (pause_s := session.pause_s()) and not session.ended:
        await asyncio.sleep(min(pause_s, BODY_TIMEOUT_S))


async def _read(session: EngineSocket, request: Request, settings: Settings) -> str:
    """Return the body. One that is too long or not UTF-8 ends the session, as it does on a websocket."""
    most = settings.max_frame_bytes if session.connect_asked else settings.max_connect_bytes
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                if len(body) + len(chunk) > most:
                    raise TooLargeError
                body += chunk
        return body.decode()
    except (TooLargeError, TimeoutError, UnicodeDecodeError) as error:
        session.end()
        raise (error if isinstance(error, TooLargeError) else MalformedError()) from None


def _allow_origin(engine: Engine, headers: Headers, response: Response) -> None:
    """Let the page of an allowed origin read the response."""
    origin, allowed = headers.get("origin"), engine.settings.allowed_origins
    if origin is not None or allowed:
        response.headers["Vary"] = "Origin"
    if origin is None or not cors.is_allowed(origin, allowed):
        return
    cors.let_read(response.headers, origin)
    if "access-control-request-method" in headers:
        cors.let_send(response.headers, METHODS)
