"""The consumer of `notifier.sessions`: the devices of an ended session go, however long the other queue is."""

from synctalk_contracts import topology
from synctalk_contracts.envelope import Event
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_runtime.bus import Bus

from synctalk_notifier.actions.devices import Devices


def subscribe(bus: Bus, devices: Devices) -> None:
    async def remove_devices(events: list[Event]) -> None:
        ended = [event.session_id for event in events if isinstance(event, SessionRevoked)]
        if ended:
            await devices.remove_of_sessions(ended)

    bus.subscribe(topology.NOTIFIER_SESSIONS, remove_devices)
