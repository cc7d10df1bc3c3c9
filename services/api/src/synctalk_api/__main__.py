"""`python -m synctalk_api`: serve; `migrate`: bring the tables up to date; `dead list|replay|drop`: dead letters."""

from importlib.resources import files

from synctalk_contracts import topology
from synctalk_runtime import cli

from synctalk_api.main import build
from synctalk_api.settings import Settings

if __name__ == "__main__":
    cli.main(Settings, build, files("synctalk_api") / "migrations", queues=(topology.API_USERS,))
