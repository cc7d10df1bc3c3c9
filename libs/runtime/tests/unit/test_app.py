"""Every refusal has the one shape, and a client sees nothing of a bug."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from fastapi import APIRouter
from pydantic import model_validator
from starlette.types import Message
from synctalk_contracts.base import Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.ids import Seq
from synctalk_contracts.text import Name
from synctalk_runtime import telemetry
from synctalk_runtime.app import create_app
from synctalk_runtime.errors import ConflictError, RateLimitedError
from synctalk_runtime.health import Health

MAX_BYTES = 4096
SECRET = "the-secret-in-the-exception"


class Note(Request):
    name: Name
    seq: Seq = 0

    @model_validator(mode="after")
    def _no_zeros(self) -> "Note":
        if self.name == "0":
            raise ValueError("name and seq must not both be zero")
        return self


def _router() -> APIRouter:
    router = APIRouter()

    @router.post("/notes")
    async def write(note: Note) -> dict[str, str]:
        return {"name": note.name}

    @router.get("/notes/{seq}")
    async def read(seq: int) -> dict[str, int]:
        return {"seq": seq}

    @router.get("/bug")
    async def bug() -> None:
        raise KeyError(SECRET)

    @router.get("/trace")
    async def trace() -> dict[str, str | None]:
        return {"traceparent": telemetry.traceparent()}

    @router.get("/conflict")
    async def conflict() -> None:
        raise ConflictError

    @router.get("/limited")
    async def limited() -> None:
        raise RateLimitedError(retry_after=0.25)

    @router.get("/late-bug")
    async def late_bug() -> Any:
        from fastapi.responses import StreamingResponse

        async def half() -> AsyncIterator[bytes]:
            yield b"half"
            raise KeyError(SECRET)

        return StreamingResponse(half())

    return router


class Answer:
    def __init__(self, messages: list[Message]) -> None:
        self.status: int = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.text = b"".join(message.get("body", b"") for message in messages[1:]).decode()
        self.starts = sum(message["type"] == "http.response.start" for message in messages)

    @property
    def error(self) -> dict[str, Any]:
        body = json.loads(self.text)
        assert body.keys() == {"error"}
        assert body["error"].keys() <= {"code", "message", "details", "retry_after"}
        assert body["error"]["message"]
        return dict(body["error"])


Call = Callable[..., "asyncio.Future[Answer]"]


@pytest.fixture
def call(make_settings: Any) -> Any:
    """Sends one request straight to the ASGI app, as a server would hand it over."""
    app = create_app(make_settings(max_request_bytes=MAX_BYTES), [_router()], Health())

    async def send(
        method: str,
        path: str,
        *chunks: bytes,
        content_type: str | None = "application/json",
        length: bytes | None = None,
        query: bytes = b"",
        more_headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> Answer:
        headers = [(b"content-type", content_type.encode())] if content_type else []
        headers += more_headers
        if length is not None:
            headers.append((b"content-length", length))
        inbox: list[Message] = [
            {"type": "http.request", "body": chunk, "more_body": n < len(chunks) - 1} for n, chunk in enumerate(chunks)
        ] or [{"type": "http.request", "body": b"", "more_body": False}]
        outbox: list[Message] = []

        async def receive() -> Message:
            return inbox.pop(0) if inbox else {"type": "http.disconnect"}

        async def collect(message: Message) -> None:
            outbox.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": headers,
            "http_version": "1.1",
            "scheme": "http",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "app": app,
        }
        await app(scope, receive, collect)
        return Answer(outbox)

    return send


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"[]",
        b'[{"name": "a"}]',
        b'"text"',
        b"1",
        b"null",
        b"true",
        b"\xff\xfe\x00",
        b'{"name": "\xff"}',
        b"[" * 4000,
        b'{"a":' * 600 + b"1" + b"}" * 600,
        b'{"seq": ' + b"9" * 4050 + b"}",
        b"{'name': 'a'}",
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_body__not_a_json_object__is_malformed_or_invalid(call: Any, body: bytes) -> None:
    answer = await call("POST", "/notes", body)

    assert (answer.status, answer.error["code"]) in ((400, "malformed"), (422, "invalid"))
    if not body.startswith(b'{"'):
        assert answer.status == 400


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
async def test_body__of_another_content_type__is_malformed(call: Any, content_type: str | None) -> None:
    answer = await call("POST", "/notes", b'{"name": "a"}', content_type=content_type)

    assert (answer.status, answer.error["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{}", "name"),
        (b'{"name": null}', "name"),
        (b'{"name": 1}', "name"),
        (b'{"name": "a\\u0000"}', "name"),
        (b'{"name": "\\ud800"}', "name"),
        (b'{"name": "a", "seq": true}', "seq"),
        (b'{"name": "a", "seq": "1"}', "seq"),
        (b'{"name": "a", "seq": 1.0}', "seq"),
        (b'{"name": "a", "seq": NaN}', "seq"),
        (b'{"name": "a", "seq": Infinity}', "seq"),
        (b'{"name": "a", "seq": 1e400}', "seq"),
        (b'{"name": "a", "seq": 9223372036854775808}', "seq"),
        (b'{"name": "a", "seq": 1180591620717411303424}', "seq"),
        (b'{"name": "a", "seq": -1}', "seq"),
        (b'{"name": "a", "extra": 1}', "extra"),
        (b'{"name": "a", "body": 1}', "body"),
        (b'{"name": "a", "\\ud800": 1}', ""),
        (b'{"name": "a", "x\\u0000y": 1}', "xy"),
        (b'{"name": "0"}', ""),
    ],
    ids=repr,
)
async def test_field__not_as_it_must_be__is_invalid_and_named(call: Any, body: bytes, field: str) -> None:
    answer = await call("POST", "/notes", body)

    assert (answer.status, answer.error["code"]) == (422, "invalid")
    assert [problem["field"] for problem in answer.error["details"]] == [field]


async def test_invalid__many_fields__names_some_and_never_their_values(call: Any) -> None:
    body = json.dumps({f"field{n}": SECRET for n in range(60)}).encode()

    answer = await call("POST", "/notes", body)

    assert answer.status == 422
    assert len(answer.error["details"]) == 20
    assert SECRET not in answer.text


async def test_path__a_wrong_parameter__is_invalid(call: Any) -> None:
    answer = await call("GET", "/notes/x%00\ud83d".encode("utf-8", "replace").decode())

    assert (answer.status, answer.error["code"]) == (422, "invalid")


@pytest.mark.parametrize("length", [str(MAX_BYTES + 1).encode(), b"9" * 30])
async def test_body__announced_too_large__is_refused_unread(call: Any, length: bytes) -> None:
    answer = await call("POST", "/notes", length=length)

    assert (answer.status, answer.error["code"]) == (413, "too_large")


async def test_body__too_large_without_a_length__is_refused_where_the_bound_is(call: Any) -> None:
    answer = await call("POST", "/notes", *[b" " * 1024] * 100)

    assert (answer.status, answer.error["code"]) == (413, "too_large")
    assert answer.starts == 1


async def test_body__as_large_as_allowed__is_taken(call: Any) -> None:
    body = b'{"name": "a"}'
    answer = await call("POST", "/notes", body, b" " * (MAX_BYTES - len(body)), length=str(MAX_BYTES).encode())

    assert answer.status == 200


@pytest.mark.parametrize("length", [b"ten", b"1, 2", b"\xb2"])
async def test_body__a_length_that_is_no_number__is_malformed(call: Any, length: bytes) -> None:
    answer = await call("POST", "/notes", b"{}", length=length)

    assert (answer.status, answer.error["code"]) == (400, "malformed")


@pytest.mark.parametrize("path", ["/", "/nothing", "/notes/", "/notes/1/2", "/docs", "/redoc", "//notes", "/../etc"])
async def test_path__unknown__is_not_found(call: Any, path: str) -> None:
    answer = await call("GET", path)

    assert (answer.status, answer.error["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"])
async def test_method__wrong__is_not_allowed_and_says_what_is(call: Any, method: str) -> None:
    answer = await call(method, "/notes")

    assert answer.status == 405
    assert answer.headers["allow"] == "POST"
    assert method == "HEAD" or answer.error["code"] == "method_not_allowed"


async def test_bug__in_a_route__is_unavailable_and_shows_nothing(call: Any, capsys: pytest.CaptureFixture[str]) -> None:
    answer = await call("GET", "/bug")

    assert (answer.status, answer.error["code"]) == (503, "unavailable")
    assert SECRET not in answer.text
    assert answer.headers["retry-after"] == "1"


async def test_bug__after_the_answer_began__ends_it_unfinished(call: Any) -> None:
    answer = await call("GET", "/late-bug")

    assert answer.status == 200
    assert answer.starts == 1
    assert SECRET not in answer.text


async def test_refusal__of_ours__has_its_status_and_code(call: Any) -> None:
    answer = await call("GET", "/conflict")

    assert (answer.status, answer.error["code"]) == (409, ErrorCode.CONFLICT)


async def test_refusal__with_a_wait__says_it_in_body_and_header(call: Any) -> None:
    answer = await call("GET", "/limited")

    assert answer.error["retry_after"] == 0.25
    assert answer.headers["retry-after"] == "1"


async def test_openapi__is_served(call: Any) -> None:
    answer = await call("GET", "/openapi.json")

    assert answer.status == 200
    assert "/notes" in json.loads(answer.text)["paths"]


TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def traced(make_settings: Any) -> None:
    telemetry._setup_traces(make_settings(trace_ratio=1))


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("flags", ["00", "01"])
@pytest.mark.parametrize("secret", [None, b"", b"another secret altogether"])
async def test_trace__given_by_a_client__is_not_believed(call: Any, flags: str, secret: bytes | None) -> None:
    headers = [(b"traceparent", f"00-{TRACE}-b7ad6b7169203331-{flags}".encode())]
    if secret is not None:
        headers.append((b"x-synctalk-internal", secret))

    answer = await call("GET", "/trace", more_headers=headers)

    assert TRACE not in answer.text
    assert json.loads(answer.text)["traceparent"].startswith("00-")


@pytest.mark.usefixtures("traced")
async def test_trace__given_by_another_service__goes_on(call: Any) -> None:
    headers = [
        (b"traceparent", f"00-{TRACE}-b7ad6b7169203331-01".encode()),
        (b"x-synctalk-internal", b"a secret of sixteen or more"),
    ]

    assert TRACE in (await call("GET", "/trace", more_headers=headers)).text
