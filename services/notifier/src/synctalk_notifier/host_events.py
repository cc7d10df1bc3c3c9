"""The wiring of what a host app's backend gets: the feed of events, and webhooks."""

from dataclasses import dataclass
from datetime import timedelta

from synctalk_runtime.background import Loop
from synctalk_runtime.directory import Directory
from synctalk_runtime.internal import InternalClient
from synctalk_runtime.outbound import Outbound
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.service import Service

from synctalk_notifier.actions.feed import Feed, FeedIntake
from synctalk_notifier.actions.link_previews import LinkPreviews
from synctalk_notifier.actions.webhook_sending import WebhookSending
from synctalk_notifier.actions.webhooks import Webhooks
from synctalk_notifier.clients.endpoints import Endpoints
from synctalk_notifier.consumers import feed as feed_consumer
from synctalk_notifier.settings import Settings

CLEANING_S = 60.0


@dataclass(frozen=True, slots=True)
class HostEvents:
    feed: Feed
    webhooks: Webhooks


def host_events(
    service: Service, settings: Settings, postgres: Postgres, auth: InternalClient, links: LinkPreviews | None
) -> HostEvents:
    """Run the taking in of events and the sending of webhooks; return what endpoints call. Before the bus."""
    outbound = Outbound(settings.webhook_private_networks)
    endpoints = service.opening(Endpoints(outbound, settings.webhook_timeout_s))
    keep = timedelta(seconds=settings.feed_keep_s)
    feed = Feed(postgres, keep)
    sending = WebhookSending(
        postgres,
        endpoints,
        timeout_s=settings.webhook_timeout_s,
        retries_s=settings.webhook_retries_s,
        keep=keep,
        stop_s=settings.shutdown_timeout_s,
    )

    def on_added() -> None:
        feed.on_added()
        sending.on_added()

    intake = FeedIntake(postgres, Directory(auth), on_added, links)
    feed_consumer.subscribe(service.bus, intake)
    service.running(intake)
    service.running(sending)
    service.running(Loop("feed.cleaning", feed.forget_old, CLEANING_S))
    service.running(Loop("webhooks.cleaning", sending.clean, CLEANING_S))
    return HostEvents(feed, Webhooks(postgres, outbound, endpoints, settings.webhooks_max))
