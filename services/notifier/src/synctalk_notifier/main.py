"""The wiring of the notifier: its dependencies, consumers and endpoints, in the sequence in which they start."""

from fastapi import FastAPI
from synctalk_runtime.limits import Limiter
from synctalk_runtime.outbound import Outbound
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.service import Service

from synctalk_notifier.actions.devices import Devices
from synctalk_notifier.actions.settings import ConversationSettings, GlobalSettings
from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.consumers import sessions
from synctalk_notifier.host_events import host_events
from synctalk_notifier.previewing import link_previews
from synctalk_notifier.pushing import run_pushes, vapid_of
from synctalk_notifier.routes import ROUTERS
from synctalk_notifier.routes.dependencies import Services
from synctalk_notifier.settings import Settings


def build(settings: Settings) -> FastAPI:
    service = Service(settings)
    postgres = service.opening(Postgres(settings))
    service.health.add("postgres", postgres.check)
    tokens = service.verify_tokens()
    upstreams = Upstreams(service.upstream(settings.api_url), service.upstream(settings.presence_url))
    limiter = Limiter(service.redis_pipeline(settings.limits_url))
    outbound, vapid = Outbound(), vapid_of(settings)
    devices = Devices(
        postgres,
        tokens.revocations,
        outbound,
        settings.devices_per_user,
        has_stand_in=settings.web_push_stand_in_url is not None,
    )
    run_pushes(service, settings, postgres, upstreams, vapid, outbound)
    sessions.subscribe(service.bus, devices)
    links = link_previews(service, settings, postgres, upstreams)
    hosts = host_events(service, settings, postgres, service.upstream(settings.auth_url), links)
    service.running(service.bus)
    services = Services.of(
        settings,
        devices,
        GlobalSettings(postgres),
        ConversationSettings(postgres, upstreams),
        hosts.feed,
        hosts.webhooks,
        vapid.public_key if vapid else None,
        limiter,
    )
    return service.app(ROUTERS, tokens, services)
