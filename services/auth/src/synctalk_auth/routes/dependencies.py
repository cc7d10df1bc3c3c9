"""The dependencies of the endpoints: the services they call, and the caller's address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from synctalk_runtime.addresses import client_address
from synctalk_runtime.limits import Limiter
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.redis import Client
from synctalk_runtime.service import injected
from synctalk_runtime.tokens import no_bot

from synctalk_auth.actions.bots import Bots
from synctalk_auth.actions.cleaning import Cleaning
from synctalk_auth.actions.exchange import Exchange
from synctalk_auth.actions.guessing import Guessing
from synctalk_auth.actions.guest_cleaning import GuestCleaning
from synctalk_auth.actions.guests import Guests
from synctalk_auth.actions.host_users import HostUsers
from synctalk_auth.actions.login import Login
from synctalk_auth.actions.oidc import Oidc
from synctalk_auth.actions.opening import TokenIssuer
from synctalk_auth.actions.password import PasswordChange
from synctalk_auth.actions.refresh import Refresh
from synctalk_auth.actions.register import Registration
from synctalk_auth.actions.server_keys import ServerKeys
from synctalk_auth.actions.server_users import ServerUsers
from synctalk_auth.actions.sessions import Sessions
from synctalk_auth.clients.api import ApiClient
from synctalk_auth.clients.oidc import OidcClient
from synctalk_auth.foreign_tokens import ForeignTokens
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
    guest_cleaning: GuestCleaning
    exchange: Exchange
    oidc: Oidc
    server_keys: ServerKeys
    server_users: ServerUsers
    guests: Guests
    bots: Bots

    @classmethod
    def of(
        cls,
        settings: Settings,
        postgres: Postgres,
        redis: Client,
        limiter: Limiter,
        hasher: Hasher,
        keyring: Keyring,
        api: ApiClient,
        outbox: OutboxRelay,
        common: frozenset[str],
        foreign: ForeignTokens,
        providers: Mapping[str, OidcClient],
    ) -> "Services":
        limits = Limits.of(settings)
        guessing = Guessing(limiter, limits, redis, settings.known_address_s)
        issuer = TokenIssuer(settings, keyring)
        host_users = HostUsers(postgres, keyring, api, outbox, issuer)
        return cls(
            settings=settings,
            postgres=postgres,
            keyring=keyring,
            registration=Registration(
                postgres, settings.registration, limiter, limits, hasher, keyring, api, outbox, common, guessing, issuer
            ),
            login=Login(postgres, hasher, keyring, api, guessing, issuer),
            refresh=Refresh(postgres, settings, limiter, limits, keyring, api, outbox, guessing, issuer),
            password=PasswordChange(postgres, settings, hasher, outbox, common, guessing),
            sessions=Sessions(postgres, settings, outbox),
            cleaning=Cleaning(postgres, settings, outbox),
            guest_cleaning=GuestCleaning(postgres, settings, api),
            exchange=Exchange(limiter, limits, foreign, host_users),
            oidc=Oidc(postgres, limiter, limits, providers, settings.allowed_origins, host_users),
            bots=Bots(postgres, settings, api, outbox),
            guests=Guests(postgres, settings, limiter, limits, keyring, api, outbox, issuer),
            server_keys=ServerKeys(postgres, settings.server_keys_max),
            server_users=ServerUsers(postgres, settings, keyring, api, outbox, issuer),
        )


ServicesDep = Annotated[Services, Depends(injected)]


def _address(request: Request, services: ServicesDep) -> str:
    peer = request.client.host if request.client is not None else "unknown"
    if not services.settings.trust_forwarded_for:
        return client_address(None, peer)
    return client_address(",".join(request.headers.getlist("x-forwarded-for")), peer)


ClientAddress = Annotated[str, Depends(_address)]


NO_BOT = Depends(no_bot)
