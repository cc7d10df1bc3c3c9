"""The wiring of commands: the queue that they come by, the message hook where there is one, and the writers."""

import secrets

from synctalk_runtime.consumer import CommandConsumer
from synctalk_runtime.service import Service

from synctalk_api.actions.file_sending import FileSending
from synctalk_api.actions.files import Files
from synctalk_api.actions.reviewing import CommandWriters, ReviewedWriters
from synctalk_api.actions.writers import Writers
from synctalk_api.clients.fanout import Fanout
from synctalk_api.clients.message_hook import MessageHook
from synctalk_api.consumers.commands import command_handler
from synctalk_api.settings import Settings
from synctalk_api.store.stores import Stores


def command_writers(
    service: Service, settings: Settings, stores: Stores, fanout: Fanout, files: Files
) -> CommandWriters:
    """Run the writers; return what takes commands."""
    sending = FileSending(stores, files, settings)
    writers = service.running(Writers(stores, settings, fanout, sending))
    if settings.message_hook_url is None or settings.message_hook_secret is None:
        return writers
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
