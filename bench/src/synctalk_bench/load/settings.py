"""What a run does, from the command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

SCENARIOS = ("idle", "groups", "pairs", "room", "highest")
SIDES = ("ours", "node", "node-group", "python")


@dataclass(frozen=True)
class Settings:
    scenarios: tuple[str, ...] = SCENARIOS
    sides: tuple[str, ...] = SIDES
    warm_s: float = 4.0
    measure_s: float = 20.0
    workers: int = 2
    group_size: int = 10
    groups: int = 25
    groups_rate_per_s: float = 500.0
    pairs: int = 125
    pairs_rate_per_s: float = 200.0
    room_size: int = 1_000
    room_rate_per_s: float = 10.0
    room_senders: int = 40
    idle_sockets: int = 2_000
    idle_watch_s: float = 8.0
    body_chars: int = 120
    highest_from_per_s: float = 400.0
    highest_ack_p99_ms: float = 250.0
    highest_measure_s: float = 5.0

    @property
    def users(self) -> int:
        """Everybody sits in the room; the first of them in the groups and pairs too."""
        return max(self.room_size, self.groups * self.group_size, self.pairs * 2)

    @property
    def all_groups(self) -> int:
        """Groups of all users, who are needed for the highest rate: one user may send five messages a second."""
        return self.users // self.group_size


def settings_from(arguments: Sequence[str] | None = None) -> Settings:
    default = Settings()
    parser = argparse.ArgumentParser(prog="bench", description="Loads the running system, and the baselines beside it.")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only this one; may be repeated")
    parser.add_argument("--side", choices=SIDES, action="append", help="only this one; may be repeated")
    parser.add_argument("--warm-s", type=float, default=default.warm_s, help="load before the window, seconds")
    parser.add_argument("--measure-s", type=float, default=default.measure_s, help="the window, seconds")
    parser.add_argument("--workers", type=int, default=default.workers, help="processes of the load generator")
    parser.add_argument("--groups", type=int, default=default.groups, help="groups of 10 users")
    parser.add_argument("--groups-rate", type=float, default=default.groups_rate_per_s, help="messages/s in all groups")
    parser.add_argument("--pairs-rate", type=float, default=default.pairs_rate_per_s, help="messages/s in all pairs")
    parser.add_argument("--room-size", type=int, default=default.room_size, help="users in the one room")
    parser.add_argument("--room-rate", type=float, default=default.room_rate_per_s, help="messages/s in the room")
    parser.add_argument("--idle-sockets", type=int, default=default.idle_sockets, help="sockets that only wait")
    given = parser.parse_args(arguments)
    return Settings(
        scenarios=tuple(name for name in SCENARIOS if not given.scenario or name in given.scenario),
        sides=tuple(name for name in SIDES if not given.side or name in given.side),
        warm_s=given.warm_s,
        measure_s=given.measure_s,
        workers=given.workers,
        groups=given.groups,
        groups_rate_per_s=given.groups_rate,
        pairs_rate_per_s=given.pairs_rate,
        room_size=given.room_size,
        room_rate_per_s=given.room_rate,
        idle_sockets=given.idle_sockets,
    )
