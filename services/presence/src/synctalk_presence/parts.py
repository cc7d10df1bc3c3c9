"""What the actions work with: made once in `main.py`, in `app.state.parts` for the doors."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from synctalk_runtime.limits import Limiter
from synctalk_runtime.postgres import Postgres

from synctalk_presence.clients.contacts import Contacts
from synctalk_presence.settings import Settings
from synctalk_presence.store.announcements import Announcements
from synctalk_presence.store.leases import Leases


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    postgres: Postgres
    leases: Leases
    announcements: Announcements
    contacts: Contacts
    limiter: Limiter


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


ThisService = Annotated[Parts, Depends(_parts)]
"""The parts, as a route takes them."""
