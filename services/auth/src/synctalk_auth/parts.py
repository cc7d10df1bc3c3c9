"""What the actions work with: opened once in `main.py`, given to every one of them."""

from dataclasses import dataclass

from redis.asyncio import Redis
from synctalk_runtime.limits import Limiter
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres

from synctalk_auth.clients.api import ApiClient
from synctalk_auth.hashing import Hasher
from synctalk_auth.limits import Limits
from synctalk_auth.settings import Settings
from synctalk_auth.signing import Keyring


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    postgres: Postgres
    redis: Redis
    limiter: Limiter
    limits: Limits
    hasher: Hasher
    keyring: Keyring
    api: ApiClient
    outbox: OutboxRelay
    common_passwords: frozenset[str]
