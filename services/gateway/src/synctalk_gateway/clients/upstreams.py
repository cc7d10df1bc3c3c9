"""The other services, as a gateway reaches them."""

from dataclasses import dataclass

from synctalk_gateway.clients.api import Api
from synctalk_gateway.clients.commands import Commands
from synctalk_gateway.clients.presence import PresenceClient


@dataclass(frozen=True, slots=True)
class Upstreams:
    api: Api
    presence: PresenceClient
    commands: Commands
