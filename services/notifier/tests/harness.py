"""The notifier in the tests' process, with the real Firebase client, the FCM stand-in and stubs of api and presence."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from redis.asyncio import Redis
from synctalk_contracts import topology
from synctalk_contracts.envelope import Envelope, Event, write_envelopes
from synctalk_contracts.events.conversations import ConversationCreated, MemberAtCreation, MemberChanged
from synctalk_contracts.events.messages import MessageCreated, MessageDeleted
from synctalk_contracts.events.receipts import ReceiptRead, ThreadRead
from synctalk_contracts.internal import (
    ActiveUsers,
    Ids,
    Membership,
    MembershipPage,
    NamedConversation,
    NameQuestion,
    PreviewsMade,
    PushAnswer,
    PushAnswers,
    PushQuestion,
    PushQuestions,
    ThreadFollowers,
    ThreadsQuestion,
)
from synctalk_contracts.models import Message, Role
from synctalk_fcm.inbox import Received
from synctalk_notifier.actions.webhook_sending import WebhookSending
from synctalk_notifier.clients import upstreams as clients
from synctalk_notifier.clients.endpoints import Endpoints
from synctalk_notifier.settings import Settings
from synctalk_runtime.bus import Bus
from synctalk_runtime.errors import AppError, NotFoundError, UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.internal import HEADER, Credential, InternalClient
from synctalk_runtime.outbound import Outbound
from synctalk_runtime.postgres import Postgres
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import SECRET, AuthStub, ServiceClient, UserClient
from synctalk_testkit.tokens import TokenMaker


@dataclass
class Upstreams:
    """What answers as api and presence, as far as the notifier calls them."""

    active: set[str] = field(default_factory=set)
    dnd: set[str] = field(default_factory=set)
    answers: dict[tuple[str, str], PushAnswer] = field(default_factory=dict)
    """By user and conversation; a user without one is a member who has neither received nor read anything."""
    questions: list[PushQuestion] = field(default_factory=list)
    followers: dict[str, list[str]] = field(default_factory=dict)
    """Who follows threads, by root message."""
    memberships: list[Membership] = field(default_factory=list)
    down: bool = False
    away: set[str] = field(default_factory=set)
    """Conversations of which api knows nothing now, because their store is away."""
    asked: int = 0
    previews: list[PreviewsMade] = field(default_factory=list)
    quiet: dict[str, list[str]] = field(default_factory=dict)
    """Which conversations the badge leaves out, by user, as asked last."""

    names: dict[str, str] = field(default_factory=dict)
    """Conversations by what the host app calls them."""

    def says(self, user_id: str, conversation_id: str, **answer: Any) -> None:
        usual = {"member": True, "delivered": False, "read": False, "deleted": False, "badge": 1}
        self.answers[user_id, conversation_id] = PushAnswer(**(usual | answer))

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/internal/presence/active")
        async def active(question: Ids, request: Request) -> ActiveUsers:
            self._count(request)
            active, dnd = ([user for user in question.ids if user in named] for named in (self.active, self.dnd))
            return ActiveUsers(ids=active, dnd=dnd)

        @app.post("/internal/pushes")
        async def pushes(questions: PushQuestions, request: Request) -> PushAnswers:
            self._count(request)
            self.quiet |= {q.user_id: q.quiet_conversation_ids for q in questions.items if q.quiet_conversation_ids}
            usual = PushAnswer(member=True, delivered=False, read=False, deleted=False, badge=1)
            self.questions += questions.items
            asked = [(q.user_id, q.conversation_id) for q in questions.items]
            away = [n for n, (_, conversation_id) in enumerate(asked) if conversation_id in self.away]
            assert questions.partial
            return PushAnswers(items=[self.answers.get(each, usual) for each in asked], away=away)

        @app.post("/internal/threads/followers")
        async def followers(question: ThreadsQuestion, request: Request) -> ThreadFollowers:
            self._count(request)
            away = [n for n, place in enumerate(question.items) if place.conversation_id in self.away]
            assert question.partial
            return ThreadFollowers(
                items=[self.followers.get(place.thread_id, []) for place in question.items], away=away
            )

        @app.post("/internal/previews", status_code=204)
        async def previews(made: PreviewsMade, request: Request) -> None:
            self._count(request)
            self.previews.append(made)

        @app.post("/internal/conversations/named")
        async def named(question: NameQuestion, request: Request) -> NamedConversation:
            self._count(request)
            if question.external_id not in self.names:
                raise NotFoundError
            return NamedConversation(id=self.names[question.external_id])

        @app.get("/internal/memberships")
        async def memberships(request: Request, after: int = 0) -> MembershipPage:
            self._count(request)
            end = after + 2
            return MembershipPage(
                items=self.memberships[after:end], next=str(end) if end < len(self.memberships) else None
            )

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


class NotifierUser(UserClient):
    """A user with devices and notification settings."""

    def other_session(self) -> "NotifierUser":
        return replace(self, session_id=new_id())

    async def add_device(self, token: str | None = None, device_id: str = "phone") -> str:
        """Register a device; its push token."""
        token = token or f"token-{uuid4().hex}"
        await self.put(f"/v1/devices/{device_id}", {"platform": "android", "token": token})
        return token

    async def set_all(self, **settings: Any) -> None:
        """Set what holds for all conversations."""
        await self.put("/v1/notification-settings", settings)

    async def set(self, conversation_id: str, level: str, muted_until: str | None = None) -> None:
        await self.put(f"/v1/notification-settings/{conversation_id}", {"level": level, "muted_until": muted_until})


@dataclass
class Conversation:
    """A conversation as api publishes it."""

    rig: "Rig"
    id: str
    change_seq: int = 1
    seq: int = 0

    async def write(
        self,
        sender: NotifierUser,
        *,
        mentions: tuple[str, ...] = (),
        times: int = 1,
        body: str = "hello",
        **fields: Any,
    ) -> MessageCreated:
        """Publish as many messages; the last one."""
        events = [self.message(sender, mentions, body, **fields) for _ in range(times)]
        await self.rig.publish(*events)
        return events[-1]

    def message(
        self, sender: NotifierUser, mentions: tuple[str, ...] = (), body: str = "hello", **fields: Any
    ) -> MessageCreated:
        self.seq += 1
        self.change_seq += 1
        message = Message(
            id=new_id(),
            conversation_id=self.id,
            seq=self.seq,
            change_seq=self.change_seq,
            sender_id=sender.id,
            client_message_id=uuid4().hex,
            body=body,
            reply_to=None,
            reactions={},
            mentions=list(mentions),
            created_at=utc_now(),
            edited_at=None,
            deleted_at=None,
            **fields,
        )
        return MessageCreated(message=message)

    def member_changed(self, user: NotifierUser, role: Role | None) -> MemberChanged:
        self.change_seq += 1
        return MemberChanged(conversation_id=self.id, user_id=user.id, role=role, change_seq=self.change_seq)

    async def delete(self, event: MessageCreated) -> None:
        self.change_seq += 1
        gone = event.message.model_copy(update={"change_seq": self.change_seq, "body": "", "deleted_at": utc_now()})
        await self.rig.publish(MessageDeleted(message=gone))

    async def read(self, user: NotifierUser, seq: int) -> None:
        self.rig.upstreams.says(user.id, self.id, read=True, badge=0)
        await self.rig.publish(ReceiptRead(conversation_id=self.id, user_id=user.id, read_seq=seq))

    async def read_thread(self, user: NotifierUser, thread_id: str, seq: int) -> None:
        await self.rig.publish(ThreadRead(conversation_id=self.id, thread_id=thread_id, user_id=user.id, read_seq=seq))


@dataclass
class Rig:
    """A running notifier, its upstreams, and what publishes to it."""

    app: FastAPI
    settings: Settings
    postgres: Postgres
    service: ServiceClient
    bus: Bus
    fcm: FastAPI
    upstreams: Upstreams
    maker: TokenMaker
    redis: Redis
    auth: AuthStub

    def clients(self) -> clients.Upstreams:
        """Return clients of the stubs, to be closed by the caller."""
        credential = Credential.of(self.settings)
        return clients.Upstreams(
            InternalClient(self.settings.api_url, credential, 5),
            InternalClient(self.settings.presence_url, credential, 5),
        )

    def webhook_sending(self) -> WebhookSending:
        """Return one that is not started, as of another process."""
        return WebhookSending(
            self.postgres,
            Endpoints(Outbound(), 1),
            timeout_s=1,
            retries_s=[1],
            keep=timedelta(days=7),
            stop_s=1,
        )

    async def postgres_execute(self, sql: str, *args: Any) -> None:
        async with self.postgres.connection() as conn:
            await conn.execute(sql, *args)

    def user(self) -> NotifierUser:
        return NotifierUser(self.service, self.maker)

    def created(
        self, *members: NotifierUser, kind: Literal["direct", "group"] = "group"
    ) -> tuple[Conversation, ConversationCreated]:
        conversation = Conversation(self, new_id())
        event = ConversationCreated(
            conversation_id=conversation.id,
            type=kind,
            title=None,
            created_by=members[0].id,
            created_at=utc_now(),
            members=[MemberAtCreation(user_id=member.id, role=Role.MEMBER) for member in members],
            change_seq=1,
        )
        return conversation, event

    async def conversation(self, *members: NotifierUser) -> Conversation:
        conversation, event = self.created(*members)
        await self.publish(event)
        return conversation

    async def direct(self, *members: NotifierUser) -> Conversation:
        conversation, event = self.created(*members, kind="direct")
        await self.publish(event)
        return conversation

    async def publish(
        self,
        *events: Event,
        traceparent: str | None = None,
        event_id: str | None = None,
        time: datetime | None = None,
    ) -> None:
        for event in events:
            envelope = Envelope(
                id=event_id or new_id(),
                type=event.type_name(),
                time=time or utc_now(),
                traceparent=traceparent,
                payload=event.model_dump(mode="json"),
            )
            await self.bus.publish(topology.EVENTS_EXCHANGE, event.type_name(), write_envelopes([envelope]))

    async def got(self, session: NotifierUser, event: MessageCreated) -> None:
        """Record, as a gateway does, that a socket of this session has the message."""
        message = event.message
        await self.redis.zadd(topology.delivered_key(session.session_id), {message.conversation_id: message.seq})

    def pushed(self, token: str) -> list[Received]:
        found: list[Received] = self.fcm.state.inbox.messages(token)
        return found

    async def pushes(self, token: str, count: int) -> list[Received]:
        """Wait until so many were sent successfully."""

        def sent() -> list[Received]:
            return [received for received in self.pushed(token) if received.answered == 200]

        await eventually(lambda: len(sent()) >= count, message=f"{len(sent())} of {count} pushes")
        return sent()

    async def settled(self) -> None:
        """Wait until everything published so far was consumed, decided and sent."""
        await self._passed_by()
        async with self.postgres.connection() as conn:

            async def idle() -> bool:
                due = await conn.fetchval("select count(*) from incoming_messages where due_at is not null")
                waiting = await conn.fetchval("select count(*) from pushes where state <> 'sent'")
                return bool(due == 0 and waiting == 0)

            await eventually(idle)

    async def _passed_by(self) -> None:
        """Wait for a push published last: the queue is consumed in order."""
        sender, watcher = self.user(), self.user()
        token = await watcher.add_device()
        await (await self.conversation(sender, watcher)).write(sender)
        await self.pushes(token, 1)
