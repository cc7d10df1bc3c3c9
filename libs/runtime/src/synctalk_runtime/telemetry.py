"""Logs, traces and the process's metrics.

Logs are JSON lines: an event name with fields, the trace id where there is one; never a body, token or password.
Traces follow W3C trace context over HTTP headers and the `traceparent` of envelopes and commands.
"""

import logging
import random
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags

from synctalk_runtime import call_counts
from synctalk_runtime.settings import BaseServiceSettings

_tracer = trace.get_tracer("synctalk")

MAX_CAUSES, MAX_FRAMES = 5, 12
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class _Head:
    """Samples where a trace begins: whoever continues it follows that decision."""

    ratio = 1.0


def setup(settings: BaseServiceSettings) -> None:
    """Configure logging, tracing and the counting of calls of this process; called once, first."""
    _setup_logs(settings)
    _setup_traces(settings)
    call_counts.setup(settings)


def _setup_logs(settings: BaseServiceSettings) -> None:
    level = _LEVELS[settings.log_level]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_trace_id,
            _add_exception,
            structlog.processors.JSONRenderer(serializer=lambda value, **_: orjson.dumps(value, default=str).decode()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=settings.SERVICE, instance=settings.instance)
    handler = _ForeignHandler()
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)


class _ForeignHandler(logging.Handler):
    """Warnings of the libraries, as lines of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"logger": record.name, "detail": record.getMessage()[:500]}
        if record.exc_info and record.exc_info[0] is not None:
            fields["error"] = record.exc_info[0].__name__
        structlog.get_logger().log(record.levelno, "library.log", exc_info=record.exc_info, **fields)


def _add_exception(_: Any, __: str, event: Any) -> Any:
    """Add where it happened, never what the exception says: messages of drivers and validators quote the data."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    error = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        event["exception"] = _trail(error)
    return event


def _trail(error: BaseException) -> list[str]:
    """The exception and its causes, outermost first, each as its type and the last frames that it came through."""
    trail: list[str] = []
    current: BaseException | None = error
    while current is not None and len(trail) < MAX_CAUSES:
        frames = traceback.extract_tb(current.__traceback__)[-MAX_FRAMES:]
        places = " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
        trail.append(f"{type(current).__name__} at {places}")
        inner = current.exceptions[0] if isinstance(current, BaseExceptionGroup) else None
        current = inner or current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return trail


def _add_trace_id(_: Any, __: str, event: Any) -> Any:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
    return event


def _setup_traces(settings: BaseServiceSettings) -> None:
    _Head.ratio = settings.trace_ratio
    provider = TracerProvider(
        resource=Resource.create(
            {"service.name": f"synctalk-{settings.SERVICE}", "service.instance.id": settings.instance}
        ),
        sampler=ParentBased(ALWAYS_ON),
        shutdown_on_exit=False,
    )
    if settings.otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=traces_endpoint(settings.otlp_endpoint)))
        )
    trace.set_tracer_provider(provider)


def traces_endpoint(address: str) -> str:
    """Return where spans are sent: to the address when it has a path, else to the path that OTLP/HTTP gives traces."""
    return address if urlsplit(address).path.strip("/") else address.rstrip("/") + "/v1/traces"


@contextmanager
def span(
    name: str, *, parent: str | None = None, kind: SpanKind = SpanKind.INTERNAL, **attributes: Any
) -> Iterator[Span]:
    """A span as the current one; `parent` is a traceparent from a header, an envelope or a command.

    What begins a trace that is not recorded costs nothing: the SDK takes 10 us for an unsampled span.
    """
    if parent is None and not trace.get_current_span().get_span_context().is_valid and not _is_recorded():
        yield trace.INVALID_SPAN
        return
    context = trace.set_span_in_context(_remote_span(parent)) if parent else None
    with _tracer.start_as_current_span(
        name, context=context, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def _is_recorded() -> bool:
    return random.random() < _Head.ratio  # noqa: S311 - a sample, no secret


def traceparent() -> str | None:
    """The W3C header value of the current span, or None outside of one."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _remote_span(header: str) -> Span:
    """A parent from its header; anything that is not W3C trace context is no parent (W3C Trace Context 4.3)."""
    parts = header.split("-")
    try:
        trace_id, span_id, flags = int(parts[1], 16), int(parts[2], 16), int(parts[3][:2], 16)
    except (IndexError, ValueError):
        return trace.INVALID_SPAN
    return NonRecordingSpan(SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags)))
