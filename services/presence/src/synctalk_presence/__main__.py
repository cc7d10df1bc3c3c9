"""`python -m synctalk_presence [serve | migrate]`."""

from importlib.resources import files

from synctalk_runtime import cli

from synctalk_presence.settings import Settings

cli.main(Settings, "synctalk_presence.main:build", files("synctalk_presence") / "migrations")
