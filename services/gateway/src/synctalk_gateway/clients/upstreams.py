"""The services that the gateway calls."""

from dataclasses import dataclass

from synctalk_runtime.service import Service

from synctalk_gateway.clients.api import Api
from synctalk_gateway.clients.commands import Commands
from synctalk_gateway.clients.presence import PresenceClient
from synctalk_gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Upstreams:
    api: Api
    presence: PresenceClient
    commands: Commands

    @classmethod
    def of(cls, service: Service, settings: Settings, gateway: str) -> "Upstreams":
        return cls(
            api=Api(service.upstream(settings.api_url)),
            presence=PresenceClient(service.upstream(settings.presence_url)),
            commands=Commands(settings, service.bus, gateway),
        )
