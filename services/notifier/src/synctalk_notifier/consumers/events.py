"""The consumer of `notifier.events`: what happens in conversations."""

from datetime import timedelta
from functools import partial

from synctalk_contracts import topology
from synctalk_runtime.bus import Bus
from synctalk_runtime.postgres import Postgres

from synctalk_notifier.actions.incoming import store_events


def subscribe(bus: Bus, postgres: Postgres, delay: timedelta) -> None:
    bus.subscribe(topology.NOTIFIER_EVENTS, partial(store_events, postgres, delay))
