"""The wiring of pushes: the ways to devices, what schedules and delivers, and what events it takes."""

from datetime import timedelta
from functools import partial

from synctalk_runtime.background import Loop
from synctalk_runtime.outbound import Outbound
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.service import Service

from synctalk_notifier.actions.cleaning import remove_old
from synctalk_notifier.actions.deliver import Delivery, Senders
from synctalk_notifier.actions.schedule import Scheduling
from synctalk_notifier.actions.sender import Sender
from synctalk_notifier.clients.fcm import Fcm
from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.clients.vapid import Vapid
from synctalk_notifier.clients.web_push import WebPush
from synctalk_notifier.consumers import events
from synctalk_notifier.key_file import load_key
from synctalk_notifier.settings import Settings
from synctalk_notifier.store.deliveries import Deliveries

CLEANING_S = 30.0
REDIS_TIMEOUT_S = 0.5
"""Short, because it delays all pushes that are due, and they go without Redis's reply."""


def vapid_of(settings: Settings) -> Vapid | None:
    """Return what Web Push is signed with; None: it is not configured."""
    if settings.vapid_key_file is None:
        return None
    return Vapid(load_key(settings.vapid_key_file), settings.vapid_subject)


def run_pushes(
    service: Service,
    settings: Settings,
    postgres: Postgres,
    upstreams: Upstreams,
    vapid: Vapid | None,
    outbound: Outbound,
) -> None:
    """Run the scheduling and delivery of pushes. Before the bus."""
    deliveries = Deliveries(service.redis_pipeline(settings.redis_url, timeout_s=REDIS_TIMEOUT_S))
    senders = Senders(_fcm(service, settings), _web_push(service, settings, vapid, outbound))
    delivery = Delivery(postgres, upstreams, deliveries, senders, settings)
    service.running(Sender(Scheduling(postgres, upstreams), delivery, settings))
    service.running(Loop("cleaning", partial(remove_old, postgres, settings), CLEANING_S))
    events.subscribe(service.bus, postgres, timedelta(seconds=settings.push_delay_s))


def _fcm(service: Service, settings: Settings) -> Fcm | None:
    if settings.fcm_credentials_file is None:
        return None
    return service.closing(Fcm(settings.fcm_credentials_file, settings.fcm_url, settings.fcm_timeout_s))


def _web_push(service: Service, settings: Settings, vapid: Vapid | None, outbound: Outbound) -> WebPush | None:
    if vapid is None:
        return None
    stand_in, timeout_s = settings.web_push_stand_in_url, settings.web_push_timeout_s
    return service.closing(WebPush(vapid, outbound, stand_in, timeout_s, settings.push_max_age_s))
