"""`python -m synctalk_api`: serve; `migrate`: bring the tables up to date; `replay`: retry dead letters."""

from importlib.resources import files

from synctalk_runtime import cli

from synctalk_api.consumers import users
from synctalk_api.main import build
from synctalk_api.settings import Settings

if __name__ == "__main__":
    cli.main(Settings, build, files("synctalk_api") / "migrations", queues=(users.QUEUE,))
