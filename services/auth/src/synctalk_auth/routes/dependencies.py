"""The dependencies of the endpoints: the services they call, and the caller's address."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from redis.asyncio import Redis
from synctalk_runtime.addresses import client_address
from synctalk_runtime.limits import Limiter
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.service import injected

from synctalk_auth.actions.cleaning import Cleaning
from synctalk_auth.actions.guessing import Guessing
from synctalk_auth.actions.login import Login
from synctalk_auth.actions.opening import TokenIssuer
from synctalk_auth.actions.password import PasswordChange
from synctalk_auth.actions.refresh import Refresh
from synctalk_auth.actions.register import Registration
from synctalk_auth.actions.sessions import Sessions
from synctalk_auth.clients.api import ApiClient
from synctalk_auth.hashing import Hasher
from synctalk_auth.limits import Limits
from synctalk_auth.settings import Settings
from synctalk_auth.signing import Keyring


@dataclass(frozen=True, slots=True)
class Services:
    """The actions of auth, each with what it uses; built in `main.py`."""

    settings: Settings
    postgres: Postgres
    keyring: Keyring
    registration: Registration
    login: Login
    refresh: Refresh
    password: PasswordChange
    sessions: Sessions
    cleaning: Cleaning

    @classmethod
    def of(
        cls,
        settings: Settings,
        postgres: Postgres,
        redis: Redis,
        limiter: Limiter,
        hasher: Hasher,
        keyring: Keyring,
        api: ApiClient,
        outbox: OutboxRelay,
        common: frozenset[str],
    ) -> "Services":
        limits = Limits.of(settings)
        guessing = Guessing(limiter, limits, redis, settings.known_address_s)
        issuer = TokenIssuer(settings, keyring)
        return cls(
            settings=settings,
            postgres=postgres,
            keyring=keyring,
            registration=Registration(
                postgres, limiter, limits, hasher, keyring, api, outbox, common, guessing, issuer
            ),
            login=Login(postgres, hasher, keyring, api, guessing, issuer),
            refresh=Refresh(postgres, settings, limiter, limits, keyring, api, outbox, guessing, issuer),
            password=PasswordChange(postgres, settings, hasher, outbox, common, guessing),
            sessions=Sessions(postgres, settings, outbox),
            cleaning=Cleaning(postgres, settings, outbox),
        )


ServicesDep = Annotated[Services, Depends(injected)]


def _address(request: Request, services: ServicesDep) -> str:
    peer = request.client.host if request.client is not None else "unknown"
    if not services.settings.trust_forwarded_for:
        return client_address(None, peer)
    return client_address(",".join(request.headers.getlist("x-forwarded-for")), peer)


ClientAddress = Annotated[str, Depends(_address)]
