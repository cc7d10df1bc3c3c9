"""`python -m synctalk_notifier`: serve · `migrate` · `dead list|replay|drop` · `rebuild [after]`."""

from importlib.resources import files

from synctalk_contracts import topology
from synctalk_runtime import cli

from synctalk_notifier.settings import Settings

if __name__ == "__main__":
    cli.main(
        Settings,
        "synctalk_notifier.main:build",
        files("synctalk_notifier") / "migrations",
        queues=(topology.NOTIFIER_EVENTS, topology.NOTIFIER_SESSIONS, *topology.NOTIFIER_FEED),
        commands={"rebuild": "synctalk_notifier.commands:rebuild_memberships"},
    )
