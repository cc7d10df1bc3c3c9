"""A running notifier on real PostgreSQL and RabbitMQ, with the real Firebase client and the FCM stand-in.

The neighbours, which this service must not import, are stood in for by their contract: `Neighbours` answers the
`/internal` look-ups and the key set, as a test tells it to.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest_asyncio
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from synctalk_contracts import topology
from synctalk_contracts.envelope import Envelope, Event, write_envelopes
from synctalk_contracts.events.conversations import ConversationCreated, MemberAtCreation, MemberChanged
from synctalk_contracts.events.messages import MessageCreated, MessageDeleted
from synctalk_contracts.events.receipts import ReceiptRead
from synctalk_contracts.internal import Ids, PushAnswer, PushAnswers, PushQuestions
from synctalk_contracts.models import Message, Role
from synctalk_fcm.credentials import write_credentials
from synctalk_fcm.inbox import Received
from synctalk_fcm.main import build as build_fcm
from synctalk_fcm.settings import FcmSettings
from synctalk_notifier.main import build
from synctalk_notifier.settings import Settings
from synctalk_runtime.bus import Bus
from synctalk_runtime.errors import AppError, UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.internal import HEADER
from synctalk_runtime.migrate import migrate
from synctalk_testkit.eventually import eventually
from synctalk_testkit.tokens import TokenMaker

SECRET = "a-secret-of-the-tests"


@dataclass
class Neighbours:
    """auth, api and presence, as far as the notifier asks them."""

    keys: dict[str, Any]
    active: set[str] = field(default_factory=set)
    answers: dict[tuple[str, str], PushAnswer] = field(default_factory=dict)
    """By person and conversation; who is not in it is a member who has neither got nor read anything."""
    down: bool = False
    asked: int = 0

    def says(self, user_id: str, conversation_id: str, **answer: Any) -> None:
        usual = {"member": True, "delivered": False, "read": False, "deleted": False, "badge": 1}
        self.answers[user_id, conversation_id] = PushAnswer(**(usual | answer))

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/jwks.json")
        async def jwks() -> dict[str, Any]:
            return self.keys

        @app.get("/internal/revocations")
        async def revocations() -> list[Any]:
            return []

        @app.post("/internal/presence/active")
        async def active(question: Ids, request: Request) -> Ids:
            self._count(request)
            return Ids(ids=[user for user in question.ids if user in self.active])

        @app.post("/internal/pushes")
        async def pushes(questions: PushQuestions, request: Request) -> PushAnswers:
            self._count(request)
            usual = PushAnswer(member=True, delivered=False, read=False, deleted=False, badge=1)
            return PushAnswers(items=[self.answers.get((q.user_id, q.conversation_id), usual) for q in questions.items])

        @app.exception_handler(AppError)
        async def refuse(_: Request, error: Exception) -> JSONResponse:
            assert isinstance(error, AppError)
            return JSONResponse(error.body(), status_code=error.status)

        return app

    def _count(self, request: Request) -> None:
        assert request.headers[HEADER] == SECRET
        self.asked += 1
        if self.down:
            raise UnavailableError


@dataclass
class Person:
    """Someone with a session and an HTTP client of the notifier."""

    http: httpx.AsyncClient
    maker: TokenMaker
    id: str = field(default_factory=new_id)
    session_id: str = field(default_factory=new_id)

    async def call(self, method: str, path: str, json: Any = None, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.maker.mint(self.id, self.session_id)}"}
        return await self.http.request(method, path, json=json, headers=headers, **options)

    async def add_device(self, token: str | None = None, device_id: str = "phone") -> str:
        """The device's push token."""
        token = token or f"token-{uuid4().hex}"
        answer = await self.call("PUT", f"/v1/devices/{device_id}", {"platform": "android", "token": token})
        assert answer.status_code == 204, answer.text
        return token

    async def set(self, conversation_id: str, level: str, muted_until: str | None = None) -> None:
        body = {"level": level, "muted_until": muted_until}
        answer = await self.call("PUT", f"/v1/notification-settings/{conversation_id}", body)
        assert answer.status_code == 204, answer.text


@dataclass
class Conversation:
    """What api would say of one."""

    rig: "Rig"
    id: str
    change_seq: int = 1
    seq: int = 0

    async def write(self, sender: Person, *, mentions: tuple[str, ...] = (), times: int = 1) -> MessageCreated:
        """The last one written."""
        events = [self.message(sender, mentions) for _ in range(times)]
        await self.rig.publish(*events)
        return events[-1]

    def message(self, sender: Person, mentions: tuple[str, ...] = ()) -> MessageCreated:
        self.seq += 1
        self.change_seq += 1
        message = Message(
            id=new_id(),
            conversation_id=self.id,
            seq=self.seq,
            change_seq=self.change_seq,
            sender_id=sender.id,
            client_message_id=uuid4().hex,
            body="hello",
            reply_to=None,
            reactions={},
            mentions=list(mentions),
            created_at=utc_now(),
            edited_at=None,
            deleted_at=None,
        )
        return MessageCreated(message=message)

    def member_changed(self, person: Person, role: Role | None) -> MemberChanged:
        self.change_seq += 1
        return MemberChanged(conversation_id=self.id, user_id=person.id, role=role, change_seq=self.change_seq)

    async def delete(self, event: MessageCreated) -> None:
        self.change_seq += 1
        gone = event.message.model_copy(update={"change_seq": self.change_seq, "body": "", "deleted_at": utc_now()})
        await self.rig.publish(MessageDeleted(message=gone))

    async def read(self, person: Person, seq: int) -> None:
        self.rig.neighbours.says(person.id, self.id, read=True, delivered=True, badge=0)
        await self.rig.publish(ReceiptRead(conversation_id=self.id, user_id=person.id, read_seq=seq))


@dataclass
class Rig:
    """Everything that a test of the running notifier needs."""

    app: FastAPI
    http: httpx.AsyncClient
    bus: Bus
    fcm: FastAPI
    neighbours: Neighbours
    maker: TokenMaker

    def person(self) -> Person:
        return Person(self.http, self.maker)

    def created(self, *members: Person) -> tuple[Conversation, ConversationCreated]:
        conversation = Conversation(self, new_id())
        event = ConversationCreated(
            conversation_id=conversation.id,
            type="group",
            title=None,
            created_by=members[0].id,
            created_at=utc_now(),
            members=[MemberAtCreation(user_id=member.id, role=Role.MEMBER) for member in members],
            change_seq=1,
        )
        return conversation, event

    async def conversation(self, *members: Person) -> Conversation:
        conversation, event = self.created(*members)
        await self.publish(event)
        return conversation

    async def publish(self, *events: Event, traceparent: str | None = None) -> None:
        for event in events:
            envelope = Envelope(
                id=new_id(),
                type=event.type_name(),
                time=utc_now(),
                traceparent=traceparent,
                payload=event.model_dump(mode="json"),
            )
            await self.bus.publish(topology.EVENTS_EXCHANGE, event.type_name(), write_envelopes([envelope]))

    def pushed(self, token: str) -> list[Received]:
        found: list[Received] = self.fcm.state.inbox.messages(token)
        return found

    async def pushes(self, token: str, count: int) -> list[Received]:
        """Once there are so many answered well."""

        def well() -> list[Received]:
            return [received for received in self.pushed(token) if received.answered == 200]

        await eventually(lambda: len(well()) >= count, message=f"{len(well())} of {count} pushes")
        return well()

    async def settled(self) -> None:
        """Once everything published so far was heard, decided and sent: nothing more will come of it."""
        await self._passed_by()
        async with self.app.state.parts.postgres.connection() as conn:

            async def idle() -> bool:
                on_hold = await conn.fetchval("select count(*) from heard where due_at is not null")
                waiting = await conn.fetchval("select count(*) from pushes where state <> 'sent'")
                return bool(on_hold == 0 and waiting == 0)

            await eventually(idle)

    async def _passed_by(self) -> None:
        """A push that is published last has come: the queue is worked off in order."""
        sender, watcher = self.person(), self.person()
        token = await watcher.add_device()
        await (await self.conversation(sender, watcher)).write(sender)
        await self.pushes(token, 1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def rig(
    fresh_database: Callable[[str], Awaitable[str]],
    fresh_vhost: Callable[[], Awaitable[str]],
    token_maker: TokenMaker,
    tmp_path_factory: Any,
) -> AsyncIterator[Rig]:
    neighbours = Neighbours(token_maker.public_keys())
    database_url, rabbitmq_url = await fresh_database("notifier"), await fresh_vhost()
    await migrate(database_url, files("synctalk_notifier") / "migrations")
    credentials: Path = tmp_path_factory.mktemp("fcm") / "account.json"
    fcm = build_fcm(FcmSettings(fcm_credentials_file=credentials, fcm_slow_s=2))
    async with served(neighbours.app()) as neighbours_url, served(fcm) as fcm_url:
        write_credentials(credentials, fcm_url)
        settings = Settings(
            instance="notifier-1",
            internal_secret=SECRET,
            database_url=database_url,
            rabbitmq_url=rabbitmq_url,
            redis_url="redis://127.0.0.1:1/0",
            auth_url=neighbours_url,
            api_url=neighbours_url,
            presence_url=neighbours_url,
            fcm_credentials_file=credentials,
            fcm_url=fcm_url,
            push_hold_s=0.1,
            push_interval_s=0.02,
            push_backoff_s=0.05,
            devices_per_person=3,
        )
        app = build(settings)
        bus = Bus(settings.rabbitmq_url, "tests")
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notifier")
        async with app.router.lifespan_context(app), http:
            await bus.start()
            await eventually(lambda: _is_ready(http), timeout=30)
            await eventually(lambda: _answers(bus))
            yield Rig(app, http, bus, fcm, neighbours, token_maker)
            await bus.stop()


async def _is_ready(http: httpx.AsyncClient) -> bool:
    return (await http.get("/readyz")).status_code == 200


async def _answers(bus: Bus) -> bool:
    try:
        await bus.check()
    except ConnectionError:
        return False
    return True


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The app on a port of its own, in this loop."""
    with _listening() as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", lifespan="off"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await eventually(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await task


@contextmanager
def _listening() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener
