"""What the actions work with: opened once in `main.py`, given to every one of them."""

from dataclasses import dataclass

from synctalk_runtime.postgres import Postgres
from synctalk_runtime.revocations import Revocations

from synctalk_notifier.clients.fcm import Fcm
from synctalk_notifier.clients.neighbours import Neighbours
from synctalk_notifier.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    postgres: Postgres
    neighbours: Neighbours
    revocations: Revocations
    fcm: Fcm | None
    """None: no credentials, push is off."""
