"""`python -m synctalk_presence [serve | migrate]`."""

from importlib.resources import files

from synctalk_runtime import cli

from synctalk_presence.main import build
from synctalk_presence.settings import Settings

cli.main(Settings, build, files("synctalk_presence") / "migrations")
