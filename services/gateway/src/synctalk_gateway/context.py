"""What the doors and actions of the gateway stand on, put together once in `main.py`."""

import asyncio
from dataclasses import dataclass, field

from redis.asyncio import Redis
from synctalk_runtime.limits import Limit
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
class Context:
    settings: Settings
    hub: Hub
    tokens: TokenVerifier
    revocations: Revocations
    api: Api
    presence: PresenceClient
    leases: Leases
    commands: Commands
    buckets: Buckets
    redis: "Redis"
    gate: Gate
    message_limit: Limit = field(init=False)
    signal_limit: Limit = field(init=False)
    connect_limit: Limit = field(init=False)

    def __post_init__(self) -> None:
        s = self.settings
        object.__setattr__(self, "message_limit", Limit("message", s.message_rate_per_s, s.message_burst))
        object.__setattr__(self, "signal_limit", Limit("signal", s.signal_rate_per_s, s.signal_burst))
        object.__setattr__(self, "connect_limit", Limit("connect", s.connect_rate_per_s, s.connect_burst))
