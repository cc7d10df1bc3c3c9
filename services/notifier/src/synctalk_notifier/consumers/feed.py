"""The consumers of `notifier.feed.*`: what host apps can read of, one process at a time for each."""

from synctalk_contracts import topology
from synctalk_runtime.bus import Bus

from synctalk_notifier.actions.feed import FeedIntake


def subscribe(bus: Bus, intake: FeedIntake) -> None:
    for queue in topology.NOTIFIER_FEED:
        bus.subscribe_in_order(queue, intake.take_in)
