"""The wiring of presence: its dependencies, endpoints and health checks, in the sequence in which they start."""

from fastapi import FastAPI
from synctalk_runtime.background import Backoff, Loop
from synctalk_runtime.limits import Limit, Limiter
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.service import Service

from synctalk_presence.actions.changes import Changes
from synctalk_presence.actions.expiry import StatusExpiry
from synctalk_presence.actions.reading import Reading
from synctalk_presence.actions.sweep import Sweep
from synctalk_presence.actions.writing import Writing
from synctalk_presence.clients.contacts import Contacts
from synctalk_presence.routes import internal, presence
from synctalk_presence.routes.dependencies import Services
from synctalk_presence.settings import Settings
from synctalk_presence.store.announcements import Announcements
from synctalk_presence.store.leases import Leases

SWEEP_RETRY_S, SWEEP_RETRY_MAX_S = 0.2, 0.8
SWEEP_STOP_S = 5.0
EXPIRY_INTERVAL_S = 1.0

ROUTERS = (presence.router, internal.router)


def build(settings: Settings) -> FastAPI:
    service = Service(settings)
    redis = service.scripts_redis()
    postgres = service.opening(Postgres(settings))
    service.health.add("postgres", postgres.check)
    leases = Leases(redis, settings)
    changes = Changes(postgres, Announcements(redis, settings))
    contacts = Contacts(service.upstream(settings.api_url))
    limiter = Limiter(service.redis_pipeline(settings.limits_url))
    read_limit = Limit("presence_read", settings.read_per_s, settings.read_burst)
    set_limit = Limit("presence_set", settings.set_per_s, settings.set_burst)
    tokens = service.verify_tokens()
    service.running(service.bus)
    sweep = Sweep(postgres, leases, changes, settings)
    backoff = Backoff(SWEEP_RETRY_S, SWEEP_RETRY_MAX_S)
    service.running(Loop("sweep", sweep.step, settings.sweep_interval_s, backoff=backoff, stop_s=SWEEP_STOP_S))
    service.running(Loop("status-expiry", StatusExpiry(postgres, changes).step, EXPIRY_INTERVAL_S))
    services = Services(
        Reading(postgres, leases, contacts, limiter, read_limit),
        Writing(changes, leases, limiter, set_limit),
        settings.max_leases_per_report,
    )
    return service.app(ROUTERS, tokens, services)
