"""The wiring of commands: the queue that they come by, the message hook where there is one, and the writers."""

import secrets

from synctalk_runtime.consumer import CommandConsumer
from synctalk_runtime.service import Service

from synctalk_api.actions.file_sending import FileSending
from synctalk_api.actions.files import Files
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.actions.reviewing import CommandWriters, ReviewedWriters
from synctalk_api.actions.stream_ends import StreamEnds
from synctalk_api.actions.streams import Streams
from synctalk_api.actions.writers import Writers
from synctalk_api.clients.fanout import Fanout
from synctalk_api.clients.message_hook import MessageHook
from synctalk_api.consumers.commands import command_handler
from synctalk_api.settings import Settings
from synctalk_api.store.stores import Stores
from synctalk_api.store.streams import StreamTexts


def command_writers(
    service: Service,
    settings: Settings,
    stores: Stores,
    fanout: Fanout,
    files: Files,
    texts: StreamTexts,
    live: LiveTexts,
) -> CommandWriters:
    """Run the writers; return what takes commands."""
    sending = FileSending(stores, files, settings)
    writers = service.running(Writers(stores, settings, fanout, sending, live))
    reviewed = _reviewed(service, settings, stores, writers)
    passing, review = (writers, None) if reviewed is None else (reviewed, reviewed.review)
    service.running(StreamEnds(stores, texts, live, fanout, settings.stream_silence_s, review))
    return service.running(Streams(stores, passing, writers, texts, live, fanout, settings.streams_max, review))


def _reviewed(service: Service, settings: Settings, stores: Stores, writers: Writers) -> ReviewedWriters | None:
    """Run the review by the message hook; None: there is none."""
    if settings.message_hook_url is None or settings.message_hook_secret is None:
        return None
    hook = service.opening(
        MessageHook(settings.message_hook_url, settings.message_hook_secret, settings.message_hook_timeout_s)
    )
    refuses = settings.message_hook_on_failure == "refuse"
    return service.running(ReviewedWriters(writers, stores, hook, refuses_unanswered=refuses))


def command_queue(service: Service, settings: Settings, writers: CommandWriters) -> CommandConsumer:
    """Take the commands of the gateways."""
    return service.bus.serve(
        lambda: f"{settings.instance}-{secrets.token_hex(4)}",
        command_handler(writers),
        ttl_ms=settings.command_ttl_ms,
        max_length=settings.command_queue_length,
    )
