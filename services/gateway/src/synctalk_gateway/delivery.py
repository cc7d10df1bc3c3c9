"""The wiring of delivery: from the channels on Redis to this gateway's sockets, and what repairs it."""

from collections.abc import Callable
from functools import partial

from synctalk_contracts import topology
from synctalk_contracts.fanout import Heartbeat
from synctalk_runtime.background import Loop, Tasks
from synctalk_runtime.limits import Limit
from synctalk_runtime.redis_pipeline import RedisPipeline

from synctalk_gateway.actions.channels_resync import ChannelsResync
from synctalk_gateway.actions.new_conversations import NewConversations
from synctalk_gateway.actions.own_views import OwnViews
from synctalk_gateway.actions.partitions import PARTITIONS_INTERVAL_S, follow_partitions
from synctalk_gateway.actions.presence import PresenceSubscriptions
from synctalk_gateway.actions.resync import Resync, RoomResync
from synctalk_gateway.clients.reads import StateReads
from synctalk_gateway.clients.upstreams import Upstreams
from synctalk_gateway.hub.cluster_feed import ClusterFeed
from synctalk_gateway.hub.feed import Feed
from synctalk_gateway.hub.registry import Registry
from synctalk_gateway.hub.room import RoomSettings
from synctalk_gateway.hub.watchers import Watchers
from synctalk_gateway.settings import Settings


class Delivery:
    """The sockets and rooms of this gateway, fed from Redis. Without the feed all commands under way are refused."""

    def __init__(
        self,
        settings: Settings,
        name: str,
        redis: RedisPipeline,
        upstreams: Upstreams,
        tasks: Tasks,
    ) -> None:
        api, commands = upstreams.api, upstreams.commands
        self._settings = settings
        self._redis = redis
        self.feed = self._feed(settings, name, commands.fail_all)
        self.feed.subscribe(topology.replies_channel(name), commands.on_replies)
        self.feed.subscribe(topology.PARTITIONS_CHANNEL, commands.on_partitions)
        self.watchers = Watchers(self.feed)
        self.subscriptions = PresenceSubscriptions(
            self.watchers, upstreams.presence, tasks, settings.max_presence_subscriptions
        )
        reads = StateReads(settings.resync_timeout_s)
        self.room_resync = RoomResync(api, reads, self.subscriptions, OwnViews(api, reads, tasks), tasks)
        typing_limit = Limit("typing", settings.typing_rate_per_s, settings.typing_rate_per_s)
        room_settings = RoomSettings(settings.gap_wait_s, settings.typing_ttl_s, typing_limit)
        self.registry = Registry(self.feed, room_settings, self.room_resync)
        self.new_conversations = NewConversations(self.registry, api, self.subscriptions, tasks)
        self._following = Loop("partitions", partial(follow_partitions, api, commands), PARTITIONS_INTERVAL_S)
        self._resync = Resync(self.registry, api, reads, self.room_resync, settings.ready_conversations)
        self._channels = ChannelsResync(self.registry, self.room_resync, self._resync, self.subscriptions)

    async def start(self) -> None:
        settings = self._settings
        beat = (settings.heartbeat_s, settings.heartbeat_timeout_s)
        if isinstance(self.feed, ClusterFeed):
            self.feed.start(self._channels.resync, *beat)
        else:
            self.feed.start(self._resync.resync_all, *beat)
        await self._following.start()

    async def stop(self) -> None:
        await self._following.stop()
        self.registry.close()
        await self.feed.stop()

    def _feed(self, settings: Settings, name: str, on_down: Callable[[], None]) -> Feed | ClusterFeed:
        if settings.redis_cluster:
            return ClusterFeed(settings.redis_url, name, self._beat, on_down, settings.tls_ca_file)
        own_channel = topology.heartbeat_channel(name)
        beat = partial(self._beat, own_channel)
        return Feed(settings.redis_url, own_channel, beat, on_down, settings.tls_ca_file)

    async def _beat(self, channel: str) -> int:
        return int(await self._redis.call(self._redis.PUBLISH, channel, Heartbeat(n=0).to_bytes()))
