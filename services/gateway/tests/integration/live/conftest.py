"""Gateways as they run, on real Redis and RabbitMQ; auth, api and presence answer as the contracts say."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import orjson
import pytest_asyncio
import uvicorn
from aiohttp import web
from pydantic import SecretStr
from redis.asyncio import Redis
from synctalk_contracts import topology
from synctalk_contracts.commands import CommandBatch
from synctalk_contracts.envelope import Envelope, Event, write_envelopes
from synctalk_contracts.fanout import ProfileEvent
from synctalk_contracts.ids import format_time
from synctalk_contracts.internal import KeyQuestion, KnownBot, LeaseReport
from synctalk_contracts.models import Conversation, Message, Role, User
from synctalk_gateway.main import build
from synctalk_gateway.protocol.upgrade import websocket_class
from synctalk_gateway.serving import Gateway, GatewayServer
from synctalk_gateway.settings import Settings
from synctalk_runtime.bus import Bus
from synctalk_runtime.errors import NotFoundError, RateLimitedError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_testkit.clients import LiveSocket
from synctalk_testkit.eventually import eventually
from synctalk_testkit.tokens import TokenMaker

SECRET = "a secret of the tests"
OWNER = "api-1"


class Upstreams:
    """auth's keys, presence, and api's conversations; the test says who is in them and what happens there."""

    bus: Bus

    def __init__(self, redis: Redis, keys: dict[str, Any]) -> None:
        self.url = ""
        self.members: dict[str, set[str]] = {}
        self.change_seqs: dict[str, int] = {}
        self.changed_at: dict[str, str] = {}
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.answers = True
        self.refused: Counter[str] = Counter()
        """Calls by path while it does not answer."""
        self.sets_presence = True
        self.bots: dict[str, KnownBot] = {}
        """By the hash of the token."""
        self.knows_bots = True
        self.members_count: dict[str, int] = {}
        self.batches: list[CommandBatch] = []
        self.active: dict[str, bool] = {}
        """By connection, as its gateway reported it last."""
        self._redis = redis
        self._keys = keys

    def conversation(self, *user_ids: str) -> str:
        conversation_id = new_id()
        self.members[conversation_id] = set(user_ids)
        self.change_seqs[conversation_id] = 0
        self.messages[conversation_id] = []
        return conversation_id

    async def send(self, conversation_id: str, sender: str, *, publish: bool = True, **event: Any) -> int:
        """A message is committed; `publish=False`: what api publishes of it is lost."""
        self.change_seqs[conversation_id] += 1
        self.changed_at[conversation_id] = format_time(utc_now())
        number = self.change_seqs[conversation_id]
        sent: dict[str, Any] = {
            "event": "message:new",
            "change_seq": number,
            "origin": None,
            "user_id": sender,
            "payload": _message(conversation_id, sender, number),
        } | event
        if sent["event"] == "message:new":
            self.messages[conversation_id].append(sent["payload"])
        if publish:
            await self.publish_on(topology.conversation_channel(conversation_id), {"events": [sent]})
        return number

    async def remove(self, conversation_id: str, user_id: str, *, publish: bool = True) -> None:
        self.members[conversation_id].discard(user_id)
        number = self.change_seqs[conversation_id] + 1
        payload = {"conversation_id": conversation_id, "user_id": user_id, "role": None, "change_seq": number}
        await self.send(conversation_id, user_id, publish=publish, event="member:changed", payload=payload)

    async def publish(self, event: Event) -> None:
        """An event leaves api's outbox."""
        envelope = Envelope(id=new_id(), type=event.type_name(), time=utc_now(), payload=event.model_dump(mode="json"))
        await self.bus.publish(topology.EVENTS_EXCHANGE, event.type_name(), write_envelopes([envelope]))

    async def rename(self, user_id: str, display_name: str) -> None:
        user = User(id=user_id, username="ada", display_name=display_name, avatar_url=None)
        channels = [topology.user_channel(user_id)]
        channels += [topology.conversation_channel(c) for c, members in self.members.items() if user_id in members]
        for channel in channels:
            await self._redis.publish(channel, ProfileEvent(user=user).to_bytes())

    async def publish_on(self, channel: str, data: Any) -> None:
        await self._redis.publish(channel, orjson.dumps(data))

    async def take_commands(self, bodies: list[bytes]) -> None:
        """Every command is done, but that of an unrelated user."""
        for body in bodies:
            batch = CommandBatch.from_bytes(body)
            self.batches.append(batch)
            replies: list[dict[str, Any]] = [
                {"id": request.id, "result": {}, "error": None}
                if request.command.user_id in self.members.get(request.command.conversation_id, ())
                else {"id": request.id, "result": None, "error": {"code": "not_found", "message": "No such thing."}}
                for request in batch.requests
            ]
            await self.publish_on(topology.replies_channel(batch.reply_to), {"replies": replies})

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._away])
        app.router.add_get("/.well-known/jwks.json", self._jwks)
        app.router.add_get("/internal/revocations", self._revocations)
        app.router.add_get("/internal/revocations/changes", self._changes)
        app.router.add_post("/internal/credentials/bot", self._bot)
        app.router.add_get("/internal/users/{user_id}/conversations", self._conversations)
        app.router.add_get("/internal/users/{user_id}/conversation-ids", self._conversation_ids)
        app.router.add_post("/internal/states", self._states)
        app.router.add_post("/internal/sync", self._sync)
        app.router.add_post("/internal/typing", self._typing)
        app.router.add_post("/internal/heads", self._heads)
        app.router.add_get("/internal/partitions", self._partitions)
        app.router.add_post("/internal/room", self._room)
        app.router.add_post("/internal/presence/leases", self._leases)
        app.router.add_put("/internal/presence/{user_id}", self._set_presence)
        return app

    @web.middleware
    async def _away(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if not self.answers and request.path.startswith("/internal/"):
            self.refused[request.path] += 1
            return web.Response(status=503)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _jwks(self, _: web.Request) -> web.Response:
        return web.json_response(self._keys)

    async def _revocations(self, _: web.Request) -> web.Response:
        return web.json_response([])

    async def _changes(self, _: web.Request) -> web.Response:
        return web.json_response({"items": [], "cursor": "0"})

    async def _bot(self, request: web.Request) -> web.Response:
        if not self.knows_bots:
            return web.Response(status=503)
        bot = self.bots.get(KeyQuestion.from_bytes(await request.read()).hash)
        if bot is None:
            return web.json_response(NotFoundError().body(), status=404)
        return web.json_response(bot.model_dump(mode="json"))

    async def _partitions(self, _: web.Request) -> web.Response:
        owner = {"queue": topology.command_queue(OWNER), "partitions": list(range(topology.PARTITIONS))}
        return web.json_response({"version": 1, "owners": [owner]})

    async def _leases(self, request: web.Request) -> web.Response:
        report = LeaseReport.from_bytes(await request.read())
        self.active |= {lease.connection_id: lease.active for lease in report.held}
        return web.Response(status=204)

    async def _set_presence(self, _: web.Request) -> web.Response:
        if not self.sets_presence:
            return web.json_response(RateLimitedError(retry_after=0.7).body(), status=429)
        return web.Response(status=204)

    async def _conversations(self, request: web.Request) -> web.Response:
        user_id, limit = request.match_info["user_id"], int(request.query["limit"])
        theirs = [c for c, members in self.members.items() if user_id in members]
        states = [{"id": c, "last_seq": self.change_seqs[c], "change_seq": self.change_seqs[c]} for c in theirs]
        return web.json_response(
            {"items": states[:limit], "more": len(states) > limit, "as_of": format_time(utc_now())}
        )

    async def _conversation_ids(self, request: web.Request) -> web.Response:
        user_id, before = request.match_info["user_id"], request.query.get("before", "g")
        ids = sorted((c for c, members in self.members.items() if user_id in members and c < before), reverse=True)
        return web.json_response({"ids": ids[: int(request.query["limit"])]})

    async def _states(self, request: web.Request) -> web.Response:
        question = await request.json()
        items = [
            {
                "id": c,
                "last_seq": 0,
                "change_seq": self.change_seqs[c],
                "changed": self.changed_at.get(c, "") >= (question["since"] or ""),
            }
            for c in question["ids"]
            if question["user_id"] in self.members.get(c, ())
        ]
        return web.json_response({"items": items})

    async def _heads(self, request: web.Request) -> web.Response:
        ids = (await request.json())["ids"]
        return web.json_response({"items": {c: self.change_seqs[c] for c in ids if c in self.change_seqs}})

    async def _room(self, request: web.Request) -> web.Response:
        asked = await request.json()
        members = self.members[asked["conversation_id"]]
        state = {
            "change_seq": self.change_seqs[asked["conversation_id"]],
            "member_ids": [user_id for user_id in asked["user_ids"] if user_id in members],
        }
        return web.json_response(state)

    async def _typing(self, request: web.Request) -> web.Response:
        asked = await request.json()
        members = self.members[asked["conversation_id"]]
        return web.json_response({"members_count": self.members_count.get(asked["conversation_id"], len(members))})

    async def _sync(self, request: web.Request) -> web.Response:
        asked = await request.json()
        states = {c: self._state(asked["user_id"], c, cursor) for c, cursor in asked["cursors"].items()}
        return web.json_response({"conversations": states})

    def _state(self, user_id: str, conversation_id: str, cursor: int) -> dict[str, Any]:
        if user_id not in self.members.get(conversation_id, ()):
            return {"removed": True}
        number = self.change_seqs[conversation_id]
        if cursor > number:
            return {"reset": True, "change_seq": number}
        count = self.members_count.get(conversation_id, len(self.members[conversation_id]))
        messages = [message for message in self.messages[conversation_id] if message["change_seq"] > cursor]
        return {
            "messages": messages,
            "members": [],
            "conversation": _conversation(conversation_id, number, count),
            "change_seq": number,
            "more": False,
        }


def _message(conversation_id: str, sender_id: str, number: int) -> dict[str, Any]:
    message = Message(
        id=new_id(),
        conversation_id=conversation_id,
        seq=number,
        change_seq=number,
        sender_id=sender_id,
        client_message_id=f"message-{number}",
        body="hello",
        reply_to=None,
        reactions={},
        mentions=[],
        created_at=utc_now(),
        edited_at=None,
        deleted_at=None,
    )
    return message.model_dump(mode="json")


def _conversation(conversation_id: str, number: int, members_count: int) -> dict[str, Any]:
    conversation = Conversation(
        id=conversation_id,
        type="group",
        title=None,
        peer=None,
        last_seq=number,
        change_seq=number,
        read_seq=0,
        unread_count=number,
        role=Role.MEMBER,
        last_message=None,
        members_count=members_count,
        created_at=utc_now(),
        updated_at=utc_now(),
    )
    return conversation.model_dump(mode="json")


class _Server(GatewayServer):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Live:
    """Running gateways, and sockets on them."""

    def __init__(self, settings: Settings, upstreams: Upstreams, redis: Redis, tokens: TokenMaker) -> None:
        self.upstreams = upstreams
        self.redis = redis
        self.tokens = tokens
        self.gateways: list[Gateway] = []
        self.servers: list[GatewayServer] = []
        self.serving: list[asyncio.Task[None]] = []
        """Of each gateway; done when it has stopped."""
        self._settings = settings
        self._urls: list[str] = []
        self._stack = AsyncExitStack()

    async def start(self, **changes: Any) -> None:
        """One gateway more."""
        settings = self._settings.model_copy(update={"gateway_name": f"gateway-{len(self.gateways) + 1}"} | changes)
        gateway, server, serving, url = await self._stack.enter_async_context(_running(settings))
        self.gateways.append(gateway)
        self.servers.append(server)
        self.serving.append(serving)
        self._urls.append(url)

    def environment(self) -> dict[str, str]:
        """Return these gateways' settings as variables, for one that is a process of its own."""
        given = self._settings.model_dump(include=self._settings.model_fields_set)
        plain = {name: v.get_secret_value() if isinstance(v, SecretStr) else str(v) for name, v in given.items()}
        return {"SYNCTALK_ENVIRONMENT": "development"} | {f"SYNCTALK_{name.upper()}": v for name, v in plain.items()}

    async def connect(self, user_id: str, gateway: int = 0, *, reconnection: bool = True) -> LiveSocket:
        return await self.connect_with(self.tokens.mint(user_id), gateway, reconnection=reconnection)

    async def connect_with(self, token: str, gateway: int = 0, *, reconnection: bool = True) -> LiveSocket:
        # The stand-in of api says in its results only what a test is about.
        live = LiveSocket(self._urls[gateway], token, reconnection=reconnection, checks_acks=False)
        self._stack.push_async_callback(live.close)
        return await live.connect()

    async def stop(self) -> None:
        await self._stack.aclose()


@asynccontextmanager
async def _running(settings: Settings) -> AsyncIterator[tuple[Gateway, GatewayServer, asyncio.Task[None], str]]:
    gateway = build(settings)
    listener = _listener()
    config = uvicorn.Config(
        gateway.app, ws=websocket_class(gateway.engine), log_config=None, access_log=False, timeout_graceful_shutdown=2
    )
    server = _Server(config, gateway)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await eventually(lambda: server.started)
        await eventually(lambda: _is_connected(gateway))
        yield gateway, server, task, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.handle_exit(0, None)
        await task
        listener.close()


async def _is_connected(gateway: Gateway) -> bool:
    report = await gateway.health.report()
    return report.ready and not report.degraded


def _listener() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


@pytest_asyncio.fixture
async def live(redis_url: str, rabbitmq_url: str, token_maker: TokenMaker) -> AsyncIterator[Live]:
    """One gateway with short waits; `start` adds another."""
    async with AsyncExitStack() as stack:
        redis = Redis.from_url(redis_url)
        stack.push_async_callback(redis.aclose)
        upstreams = Upstreams(redis, token_maker.public_keys())
        runner = web.AppRunner(upstreams.app(), shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        listener = _listener()
        await web.SockSite(runner, listener).start()
        upstreams.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        api = Bus(SecretStr(rabbitmq_url), OWNER)
        api.serve(lambda: OWNER, upstreams.take_commands, ttl_ms=5_000, max_length=1_000)
        await api.start()
        upstreams.bus = api
        stack.push_async_callback(api.stop)
        settings = Settings(
            instance="gateway-1",
            internal_secret=SecretStr(SECRET),
            redis_url=SecretStr(redis_url),
            rabbitmq_url=SecretStr(rabbitmq_url),
            auth_url=upstreams.url,
            api_url=upstreams.url,
            presence_url=upstreams.url,
            resync_timeout_s=1.0,
            drain_s=0,
        )
        made = Live(settings, upstreams, redis, token_maker)
        stack.push_async_callback(made.stop)
        await made.start()
        yield made
