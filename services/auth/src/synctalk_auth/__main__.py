"""`python -m synctalk_auth`: serve · `migrate` · `dead list|replay|drop` · `rotate-keys` · `replace-keys`."""

from importlib.resources import files

import structlog
from synctalk_contracts import topology
from synctalk_runtime import cli
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_auth.actions import keys
from synctalk_auth.main import build
from synctalk_auth.settings import Settings

log = structlog.get_logger()


async def rotate_keys(settings: Settings) -> None:
    """Publish the next key before it is due."""
    postgres = Postgres(settings)
    await postgres.open()
    try:
        published = await keys.rotate(postgres, settings, utc_now())
    finally:
        await postgres.close()
    log.info("rotate_keys.done", published=published)


async def replace_keys(settings: Settings) -> None:
    """After a key leaked: a new one signs at once, all others are gone."""
    postgres = Postgres(settings)
    await postgres.open()
    try:
        await keys.replace(postgres, settings, utc_now())
    finally:
        await postgres.close()
    log.info("replace_keys.done")


if __name__ == "__main__":
    cli.main(
        Settings,
        build,
        files("synctalk_auth") / "migrations",
        queues=(topology.AUTH_USERS,),
        commands={"rotate-keys": rotate_keys, "replace-keys": replace_keys},
    )
