"""`python -m synctalk_notifier`: serve · `migrate` · `replay`."""

from importlib.resources import files

from synctalk_runtime import cli

from synctalk_notifier.consumers import events, sessions
from synctalk_notifier.main import build
from synctalk_notifier.settings import Settings

if __name__ == "__main__":
    cli.main(Settings, build, files("synctalk_notifier") / "migrations", queues=(events.QUEUE, sessions.QUEUE))
