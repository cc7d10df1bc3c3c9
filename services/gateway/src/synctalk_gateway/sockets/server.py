"""The wiring of the sockets: letting them in, and the handlers of their events."""

from synctalk_runtime.background import Tasks
from synctalk_runtime.redis_pipeline import RedisPipeline
from synctalk_runtime.tokens import TokenVerifier

from synctalk_gateway.actions.commands import CommandSubmission
from synctalk_gateway.actions.connect import Connections
from synctalk_gateway.actions.later_joins import LaterJoins
from synctalk_gateway.actions.receipts import ReceiptReports
from synctalk_gateway.actions.rooms import RoomMembership
from synctalk_gateway.actions.sessions import TokenExpiry
from synctalk_gateway.actions.typing import Typing
from synctalk_gateway.clients.presence import Leases
from synctalk_gateway.clients.upstreams import Upstreams
from synctalk_gateway.delivery import Delivery
from synctalk_gateway.limits import RateLimits
from synctalk_gateway.protocol.server import Server
from synctalk_gateway.settings import Settings
from synctalk_gateway.sockets.handlers import SocketHandlers
from synctalk_gateway.store.deliveries import Deliveries


def socket_server(
    settings: Settings,
    upstreams: Upstreams,
    delivery: Delivery,
    deliveries: Deliveries,
    leases: Leases,
    limits: RateLimits,
    redis: RedisPipeline,
    rooms: RoomMembership,
    tasks: Tasks,
    tokens: TokenVerifier,
) -> Server:
    """Return the Socket.IO server of this gateway."""
    registry, feed = delivery.registry, delivery.feed
    api, commands = upstreams.api, upstreams.commands
    typing = Typing(registry, api, redis, tasks, settings.max_typing_members)
    expiry = TokenExpiry(tokens, settings.expiry_warning_s)
    later_joins = LaterJoins(registry, api, rooms, tasks, settings.joined_conversations_max)
    connections = Connections(
        settings,
        tokens=tokens,
        limits=limits,
        registry=registry,
        watchers=delivery.watchers,
        api=api,
        leases=leases,
        expiry=expiry,
        new_conversations=delivery.new_conversations,
        later_joins=later_joins,
        typing=typing,
    )
    handlers = SocketHandlers(
        submission=CommandSubmission(commands, feed, rooms, limits, typing, deliveries),
        receipts=ReceiptReports(commands, feed, limits, deliveries),
        rooms=rooms,
        typing=typing,
        subscriptions=delivery.subscriptions,
        presence=upstreams.presence,
        leases=leases,
        expiry=expiry,
        api=api,
        limits=limits,
    )
    return Server(settings, connections.connect, handlers.on_event, connections.disconnect)
