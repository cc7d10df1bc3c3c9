"""The wiring of the gateway: its dependencies, sockets and health checks, in the sequence in which they start."""

import secrets
from functools import partial

import socketio
from synctalk_runtime.background import Loop, Tasks
from synctalk_runtime.limits import Limiter
from synctalk_runtime.service import Service

from synctalk_gateway.actions.draining import EdgeDrains, drain
from synctalk_gateway.actions.heads import HeadComparison
from synctalk_gateway.actions.missed_memberships import MissedMemberships
from synctalk_gateway.actions.rooms import RoomMembership
from synctalk_gateway.actions.sessions import SessionEnds
from synctalk_gateway.clients.presence import Leases
from synctalk_gateway.clients.upstreams import Upstreams
from synctalk_gateway.consumers import memberships
from synctalk_gateway.delivery import Delivery
from synctalk_gateway.limits import RateLimits
from synctalk_gateway.routes import edges
from synctalk_gateway.serving import Gateway
from synctalk_gateway.settings import Settings
from synctalk_gateway.sockets.server import socket_server
from synctalk_gateway.store.buckets import Buckets
from synctalk_gateway.store.deliveries import Deliveries


def build(settings: Settings) -> Gateway:
    """Build one gateway process; needs a running loop."""
    service = Service(settings)
    name = f"{settings.instance}-{secrets.token_hex(4)}"  # new at every start: nobody gets replies to one that is gone
    tasks = Tasks()
    redis = service.redis_pipeline(settings.redis_url)
    limits = RateLimits(settings, Buckets(Limiter(service.redis_pipeline(settings.limits_url))))
    upstreams = Upstreams.of(service, settings, name)
    api = upstreams.api
    delivery = Delivery(settings, name, redis, upstreams, tasks)
    registry = delivery.registry
    memberships.listen(service.bus, MissedMemberships(registry, api, delivery.new_conversations, tasks))
    rooms = RoomMembership(registry, api, limits)
    heads = HeadComparison(settings, registry, api, delivery.room_resync, rooms, tasks)
    ends = SessionEnds(registry)
    tokens = service.verify_tokens(ends.revoke, ends.withdraw)
    service.running(service.bus)
    service.running(delivery)
    deliveries = Deliveries(redis)
    service.lifetime(None, deliveries.stop)
    service.lifetime(None, upstreams.commands.stop)
    leases = service.running(Leases(upstreams.presence, registry, name, settings.lease_renewal_s))
    service.lifetime(None, tasks.stop)
    service.running(Loop("heads", heads.compare))
    service.health.add("redis", delivery.feed.check)
    server = socket_server(settings, upstreams, delivery, deliveries, leases, limits, redis, rooms, tasks, tokens)
    drains = EdgeDrains(registry, server.engine, settings.drain_s, tasks)
    app = socketio.ASGIApp(server, other_asgi_app=service.app([edges.router], tokens, drains))
    draining = partial(drain, registry, server.engine, settings.drain_s)
    return Gateway(app, server.engine, service.health, draining, settings.http_unix_socket)
