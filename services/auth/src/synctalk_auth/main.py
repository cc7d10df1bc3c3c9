"""The wiring of auth: its dependencies, endpoints and health checks, in the sequence in which they start."""

from functools import partial
from importlib.resources import files

from fastapi import FastAPI
from synctalk_runtime.limits import Limiter
from synctalk_runtime.local_buckets import LocalBuckets
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.service import Service

from synctalk_auth.actions import keys
from synctalk_auth.bearer import OwnTokenVerifier
from synctalk_auth.clients.api import ApiClient
from synctalk_auth.consumers import users
from synctalk_auth.hashing import Hasher
from synctalk_auth.periodic import periodic
from synctalk_auth.routes import internal, jwks, password, sessions, tokens
from synctalk_auth.routes.dependencies import Services
from synctalk_auth.settings import Settings
from synctalk_auth.signing import Keyring

ROUTERS = (tokens.router, sessions.router, password.router, jwks.router, internal.router)


def build(settings: Settings) -> FastAPI:
    service = Service(settings)
    postgres = service.opening(Postgres(settings))
    service.health.add("postgres", postgres.check)
    redis = service.redis()
    limiter = Limiter(service.redis_pipeline(settings.limits_url), LocalBuckets(settings.local_buckets))
    hasher = service.closing(Hasher(settings.hash_threads, settings.hash_max_waiting))
    keyring = Keyring(
        settings.token_issuer, settings.token_audience, settings.access_token_ttl_s, settings.signing_key_passphrase
    )
    api = ApiClient(service.upstream(settings.api_url, settings.profile_timeout_s))
    outbox = OutboxRelay(postgres, service.bus, settings.outbox_interval_s)
    services = Services.of(settings, postgres, redis, limiter, hasher, keyring, api, outbox, _common_passwords())
    users.subscribe(service.bus, postgres)
    service.running(service.bus)
    service.running(outbox)
    service.running(periodic("keys", settings.key_reload_s, partial(keys.keep, postgres, settings, keyring)))
    service.running(periodic("cleaning", settings.clean_interval_s, services.cleaning.clean))
    service.health.add("keys", keyring.check)
    return service.app(ROUTERS, OwnTokenVerifier(settings, keyring, services.sessions), services)


def _common_passwords() -> frozenset[str]:
    text = files("synctalk_auth").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line.casefold() for line in text.split())
