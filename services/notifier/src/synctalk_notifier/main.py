"""The wiring of the notifier: its dependencies, consumers and endpoints, in the sequence in which they start."""

from datetime import timedelta
from functools import partial

from fastapi import FastAPI
from synctalk_runtime.background import Loop
from synctalk_runtime.limits import Limiter
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.service import Service

from synctalk_notifier.actions.cleaning import remove_old
from synctalk_notifier.actions.deliver import Delivery
from synctalk_notifier.actions.devices import Devices
from synctalk_notifier.actions.sender import Sender
from synctalk_notifier.actions.settings import ConversationSettings
from synctalk_notifier.clients.fcm import Fcm
from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.consumers import events, sessions
from synctalk_notifier.routes import devices as device_routes
from synctalk_notifier.routes import settings as settings_routes
from synctalk_notifier.routes.dependencies import Services
from synctalk_notifier.settings import Settings
from synctalk_notifier.store.deliveries import Deliveries

ROUTERS = (device_routes.router, settings_routes.router)
CLEANING_S = 30.0
REDIS_TIMEOUT_S = 0.5
"""Short, because it delays all pushes that are due, and they go without Redis's reply."""


def build(settings: Settings) -> FastAPI:
    service = Service(settings)
    postgres = service.opening(Postgres(settings))
    service.health.add("postgres", postgres.check)
    tokens = service.verify_tokens()
    upstreams = Upstreams(service.upstream(settings.api_url), service.upstream(settings.presence_url))
    deliveries = Deliveries(service.redis_pipeline(settings.redis_url, timeout_s=REDIS_TIMEOUT_S))
    limiter = Limiter(service.redis_pipeline(settings.limits_url))
    delivery = Delivery(postgres, upstreams, deliveries, _fcm(service, settings), settings)
    devices = Devices(postgres, tokens.revocations, settings.devices_per_user)
    service.running(Sender(postgres, delivery, settings))
    service.running(Loop("cleaning", partial(remove_old, postgres, settings), CLEANING_S))
    events.subscribe(service.bus, postgres, timedelta(seconds=settings.push_delay_s))
    sessions.subscribe(service.bus, devices)
    service.running(service.bus)
    return service.app(
        ROUTERS, tokens, Services.of(settings, devices, ConversationSettings(postgres, upstreams), limiter)
    )


def _fcm(service: Service, settings: Settings) -> Fcm | None:
    if settings.fcm_credentials_file is None:
        return None
    return service.closing(Fcm(settings.fcm_credentials_file, settings.fcm_url, settings.fcm_timeout_s))
