"""The wiring of auth: its dependencies, endpoints and health checks, in the sequence in which they start."""

from functools import partial

from fastapi import FastAPI
from synctalk_runtime.limits import Limiter
from synctalk_runtime.local_buckets import LocalBuckets
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.service import Service

from synctalk_auth.actions import guest_cleaning
from synctalk_auth.actions.keys import KeyRotation
from synctalk_auth.bearer import OwnTokenVerifier
from synctalk_auth.clients.api import ApiClient
from synctalk_auth.clients.jwks import JwksClient
from synctalk_auth.clients.oidc import OidcClient
from synctalk_auth.common_passwords import common_passwords
from synctalk_auth.consumers import users
from synctalk_auth.foreign_tokens import ForeignTokens
from synctalk_auth.hashing import Hasher
from synctalk_auth.periodic import periodic
from synctalk_auth.routes import ROUTERS
from synctalk_auth.routes.dependencies import Services
from synctalk_auth.settings import Settings
from synctalk_auth.signing import Keyring


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
    remote = {
        issuer.issuer: service.closing(JwksClient(issuer.jwks_url))
        for issuer in settings.trusted_issuers
        if issuer.jwks_url
    }
    foreign = ForeignTokens(settings.trusted_issuers, remote)
    providers = {provider.id: service.closing(OidcClient(provider)) for provider in settings.oidc_providers}
    outbox = OutboxRelay(postgres, service.bus, settings.outbox_interval_s)
    services = Services.of(
        settings, postgres, redis, limiter, hasher, keyring, api, outbox, common_passwords(), foreign, providers
    )
    users.subscribe(service.bus, postgres)
    service.running(service.bus)
    service.running(outbox)
    service.running(periodic("keys", settings.key_reload_s, partial(KeyRotation(postgres, settings).keep, keyring)))
    service.running(periodic("cleaning", settings.clean_interval_s, services.cleaning.clean))
    service.running(periodic("guests", guest_cleaning.INTERVAL_S, services.guest_cleaning.clean))
    service.health.add("keys", keyring.check)
    tokens = OwnTokenVerifier(settings, keyring, services.sessions, services.server_keys)
    return service.app(ROUTERS, tokens, services, services.server_keys)
