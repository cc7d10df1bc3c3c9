"""`python -m synctalk_notifier`: serve · `migrate` · `dead list|replay|drop` · `rebuild [after]`."""

import sys
from importlib.resources import files

import structlog
from synctalk_contracts import topology
from synctalk_runtime import cli
from synctalk_runtime.internal import Credential, InternalClient
from synctalk_runtime.postgres import Postgres

from synctalk_notifier.actions.rebuild import rebuild
from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.main import build
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


if __name__ == "__main__":
    cli.main(
        Settings,
        build,
        files("synctalk_notifier") / "migrations",
        queues=(topology.NOTIFIER_EVENTS, topology.NOTIFIER_SESSIONS, *topology.NOTIFIER_FEED),
        commands={"rebuild": rebuild_memberships},
    )
