"""What the doors and actions of the gateway stand on, put together once in `main.py`."""

import asyncio
from dataclasses import dataclass

from synctalk_runtime.limits import Limit
from synctalk_runtime.redis_line import RedisLine
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.tokens import TokenVerifier

from synctalk_gateway.clients.api import Api
from synctalk_gateway.clients.commands import Commands
from synctalk_gateway.clients.presence import Leases, PresenceClient
from synctalk_gateway.hub.hub import Hub
from synctalk_gateway.settings import Settings
from synctalk_gateway.store.buckets import Buckets


@dataclass(slots=True)
class Gate:
    """Lets a few connections in at a time, so that a storm of them slows down instead of falling over."""

    places: asyncio.Semaphore
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """By person, but for `connect`, which is by network address."""

    message: Limit
    signal: Limit
    connect: Limit

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(
            Limit("message", settings.message_rate_per_s, settings.message_burst),
            Limit("signal", settings.signal_rate_per_s, settings.signal_burst),
            Limit("connect", settings.connect_rate_per_s, settings.connect_burst),
        )


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    hub: Hub
    tokens: TokenVerifier
    revocations: Revocations
    api: Api
    presence: PresenceClient
    leases: Leases
    commands: Commands
    buckets: Buckets
    line: RedisLine
    gate: Gate
    limits: Limits
