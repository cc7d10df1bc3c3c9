"""A log line says where, never what; a trace goes on from whoever began it."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from synctalk_contracts.ids import Seq
from synctalk_runtime import telemetry

SECRET = "words-of-a-private-message"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def lines(make_settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What was logged, as objects."""
    as_it_was = structlog.get_config()
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    telemetry.setup(make_settings(instance="test-1"))
    output.truncate(output.seek(0))  # that traces were set up before, by another test
    yield lambda: [json.loads(line) for line in output.getvalue().splitlines()]
    structlog.configure(**as_it_was)
    structlog.contextvars.clear_contextvars()
    logging.getLogger().handlers.clear()


def test_log__a_line__is_json_with_its_service(lines: Any) -> None:
    structlog.get_logger().info("thing.done", count=1)

    (line,) = lines()
    assert line | {"event": "thing.done", "count": 1, "service": "test", "instance": "test-1", "level": "info"} == line


def test_log__line_breaks_in_a_value__stay_one_line(lines: Any) -> None:
    structlog.get_logger().info("thing.done", path='/a\n{"event":"forged"}\r\x1b[2J')

    assert [line["event"] for line in lines()] == ["thing.done"]


def _validation() -> None:
    TypeAdapter(Seq).validate_python(SECRET)


def _database() -> None:
    raise asyncpg.UniqueViolationError(f"duplicate key (body)=({SECRET})")


def _chained() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        raise KeyError(SECRET) from error


def _grouped() -> None:
    raise ExceptionGroup(SECRET, [ValueError(SECRET)])


@pytest.mark.parametrize("fail", [_validation, _database, _chained, _grouped])
def test_log__an_exception__says_where_and_never_what(lines: Any, fail: Any) -> None:
    try:
        fail()
    except Exception:
        structlog.get_logger().exception("thing.failed")

    (line,) = lines()
    assert SECRET not in json.dumps(line)
    assert any(fail.__name__ in place for place in line["exception"])


def test_log__the_causes_of_an_exception__are_logged(lines: Any) -> None:
    try:
        _chained()
    except KeyError:
        structlog.get_logger().exception("thing.failed")

    kinds = [place.split(" at ")[0] for place in lines()[0]["exception"]]
    assert kinds == ["KeyError", "ValueError"]


def test_log__a_library_warns__is_a_line_of_ours(lines: Any) -> None:
    logging.getLogger("some.library").warning("careful: %s", "x" * 1000)
    logging.getLogger("some.library").info("chatter")

    (line,) = lines()
    assert (line["event"], line["logger"], len(line["detail"])) == ("library.log", "some.library", 500)


def test_log__a_library_failed__shows_no_message(lines: Any) -> None:
    try:
        _validation()
    except ValueError:
        logging.getLogger("some.library").exception("failed")

    (line,) = lines()
    assert line["error"] == "ValidationError"
    assert SECRET not in json.dumps(line)


def test_span__with_a_parent__goes_on_with_its_trace(lines: Any) -> None:
    with telemetry.span("work", parent=PARENT):
        inside = telemetry.traceparent()
        structlog.get_logger().info("thing.done")

    assert inside is not None
    assert inside.split("-")[1] == "0af7651916cd43dd8448eb211c80319c"
    assert inside.split("-")[2] != "b7ad6b7169203331"
    assert lines()[0]["trace_id"] == "0af7651916cd43dd8448eb211c80319c"


def test_traceparent__outside_of_a_span__is_none() -> None:
    assert telemetry.traceparent() is None


@pytest.mark.parametrize("parent", ["", "00", "00-x-y-z", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "----", "00-1-2-"])
def test_span__with_a_parent_that_is_none__begins_a_trace(lines: Any, parent: str) -> None:
    with telemetry.span("work", parent=parent):
        assert telemetry.traceparent() is not None


@given(st.text(max_size=80))
def test_span__any_header__never_fails(header: str) -> None:
    with telemetry.span("work", parent=header):
        telemetry.traceparent()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("http://collector:4318/", "http://collector:4318/v1/traces"),
        ("http://collector:4318/v1/traces", "http://collector:4318/v1/traces"),
        ("https://traces.example.com/otlp/of/mine", "https://traces.example.com/otlp/of/mine"),
    ],
)
def test_traces_endpoint__of_a_base_address__is_that_of_traces(given: str, used: str) -> None:
    assert telemetry.traces_endpoint(given) == used
