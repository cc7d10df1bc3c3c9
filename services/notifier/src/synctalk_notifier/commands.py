"""The operator's commands beside those of every service: reading the memberships anew."""

import sys

import structlog
from synctalk_runtime.internal import Credential, InternalClient
from synctalk_runtime.postgres import Postgres

from synctalk_notifier.actions.rebuild import rebuild
from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.settings import Settings

log = structlog.get_logger()

PAGE_TIMEOUT_S = 30.0


async def rebuild_memberships(settings: Settings) -> None:
    """Read all memberships from api; a further argument is the `after` of an interrupted run."""
    postgres = Postgres(settings)
    api, presence = (
        InternalClient(url, Credential.of(settings), PAGE_TIMEOUT_S)
        for url in (settings.api_url, settings.presence_url)
    )
    upstreams = Upstreams(api, presence)
    await postgres.open()
    try:
        count = await rebuild(postgres, upstreams, sys.argv[2] if len(sys.argv) > 2 else None)
    finally:
        await upstreams.close()
        await postgres.close()
    log.info("rebuild.done", memberships=count)
