"""What the actions stand on: opened and closed by `main.py`, found by the doors in `app.state.parts`."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from synctalk_runtime.limits import Limiter
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres

from synctalk_api.actions.writer import Writer
from synctalk_api.clients.accounts import Accounts
from synctalk_api.clients.fanout import Fanout
from synctalk_api.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    postgres: Postgres
    fanout: Fanout
    relay: OutboxRelay
    writer: Writer
    accounts: Accounts
    limiter: Limiter


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


TheParts = Annotated[Parts, Depends(_parts)]
"""For the doors."""
