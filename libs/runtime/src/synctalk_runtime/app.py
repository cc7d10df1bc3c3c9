"""The FastAPI application of a service: one error shape, bounded bodies, health, metrics, one span a request."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from opentelemetry.trace import SpanKind
from prometheus_client import Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from synctalk_contracts.internal_routes import ROUTES, InternalRoute

from synctalk_runtime.cors import Cors
from synctalk_runtime.errors import (
    AppError,
    InvalidError,
    MalformedError,
    MethodNotAllowedError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    field_errors,
)
from synctalk_runtime.health import Health
from synctalk_runtime.health import routes as health_routes
from synctalk_runtime.internal import CALLER_HEADER, HEADER, Callers
from synctalk_runtime.settings import BaseServiceSettings
from synctalk_runtime.telemetry import span

log = structlog.get_logger()

REQUESTS = Histogram("http_request_seconds", "Time to answer, by route.", ["method", "route", "status"])

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def _operation_id(route: APIRoute) -> str:
    """Return the handler's name, which stays when a path changes: clients are generated from it."""
    return f"internal_{route.name}" if route.path.startswith("/internal") else route.name


def create_app(
    settings: BaseServiceSettings,
    routers: Sequence[APIRouter],
    health: Health,
    lifespan: Lifespan | None = None,
    internal_routes: Sequence[InternalRoute] = ROUTES,
) -> FastAPI:
    """A service's HTTP face. `lifespan` opens what the service needs and closes it in the reverse order.

    Raises ValueError: there are internal routes without a rule of who may call them, or rules without a route.
    """
    callers = Callers.of(settings, internal_routes)
    callers.check_routes(routers)
    app = FastAPI(
        title=f"SyncTalk {settings.SERVICE}",
        version="1.0.0",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        lifespan=lifespan,
        redirect_slashes=False,
        # Its own spans go on with any client's trace, and its log records quote exceptions.
        telemetry={"tracing": False, "operation_spans": False, "metrics": False, "logs": False},
    )
    for router in routers:
        app.include_router(router)
    app.include_router(health_routes(health))
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_middleware(_RequestEnvelope, settings=settings, callers=callers)
    app.state.callers = callers
    app.add_middleware(Cors, origins=settings.allowed_origins)
    return app


def error_response(error: AppError) -> JSONResponse:
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(error.body(), status_code=error.status, headers=headers)


async def _app_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    return error_response(error)


async def _validation_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = error.errors()
    if any(_is_no_object(problem) for problem in problems):
        return error_response(MalformedError())
    return error_response(InvalidError(details=field_errors(problems, skip=1)))


_NO_OBJECT = ("missing", "model_type", "model_attributes_type", "dict_type")


def _is_no_object(problem: Any) -> bool:
    """The body as a whole is none; a rule over all of its fields, which has the same place, is another thing."""
    return problem["type"] == "json_invalid" or (problem["loc"] == ("body",) and problem["type"] in _NO_OBJECT)


_BY_STATUS: dict[int, type[AppError]] = {
    400: MalformedError,
    401: UnauthenticatedError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    413: TooLargeError,
    415: MalformedError,
}


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    response = error_response(_BY_STATUS.get(error.status_code, UnavailableError)())
    if error.headers and "allow" in {name.lower() for name in error.headers}:
        response.headers["Allow"] = error.headers.get("Allow", error.headers.get("allow", ""))
    return response


class _RequestEnvelope:
    """Around every request: the body's bound, the span, the metric, and the last resort for a bug."""

    def __init__(self, app: ASGIApp, settings: BaseServiceSettings, callers: Callers) -> None:
        self._app = app
        self._max_bytes = settings.max_request_bytes
        self._streamed = settings.STREAMED
        self._callers = callers
        self._trusts_all = settings.trust_traceparent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        parent = self._parent(headers)
        started = time.perf_counter()
        status = 500

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with span("http.request", parent=parent, kind=SpanKind.SERVER) as current:
            try:
                if self._streamed is None or not scope["path"].startswith(self._streamed):
                    _check_length(headers, self._max_bytes)
                    receive = _bounded(receive, self._max_bytes)
                await self._app(scope, receive, watched_send)
            except (MalformedError, TooLargeError) as error:
                await error_response(error)(scope, receive, watched_send)
            except Exception as error:
                log.exception("http.failed", path=_route(scope), error=type(error).__name__)
                if status == 500:
                    await error_response(UnavailableError())(scope, receive, watched_send)
            route = _route(scope)
            current.update_name(f"{scope['method']} {route}")
            current.set_attribute("http.response.status_code", status)
        REQUESTS.labels(scope["method"], route, str(status)).observe(time.perf_counter() - started)

    def _parent(self, headers: dict[bytes, bytes]) -> str | None:
        """Return the trace begun by another service. A client's would choose what is recorded and forge ids in logs."""
        caller, secret = headers.get(CALLER_HEADER.encode(), b""), headers.get(HEADER.encode(), b"")
        if not self._trusts_all and not self._callers.is_known(caller.decode("latin-1"), secret):
            return None
        return headers.get(b"traceparent", b"").decode("latin-1") or None


def _check_length(headers: dict[bytes, bytes], max_bytes: int) -> None:
    try:
        announced = int(headers.get(b"content-length", b"0"))
    except ValueError:
        raise MalformedError from None
    if announced > max_bytes:
        raise TooLargeError


def _route(scope: Scope) -> str:
    """The route's template, so that ids make neither metrics nor logs grow."""
    route = scope.get("route")
    return getattr(route, "path", "unknown")


def _bounded(receive: Receive, max_bytes: int) -> Receive:
    seen = 0

    async def bounded_receive() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > max_bytes:
            raise HTTPException(413)  # what FastAPI lets through while it reads a body
        return message

    return bounded_receive
