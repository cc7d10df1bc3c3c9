"""`python -m synctalk_api`: serve · `migrate`: bring the tables of all stores up to date · `dead list|replay|drop` ·
`move PARTITIONS STORE`, as in `move 0-127 second`: move conversations to another store while users talk · `reports
list`: show the messages that members reported, a line of JSON each · `reports close ID …`: take them off that list."""

from importlib.resources import files

from synctalk_contracts import topology
from synctalk_runtime import cli

from synctalk_api.settings import Settings

if __name__ == "__main__":
    cli.main(
        Settings,
        "synctalk_api.main:build",
        files("synctalk_api") / "migrations",
        queues=(topology.API_USERS,),
        commands={"move": "synctalk_api.commands:move", "reports": "synctalk_api.commands:show_reports"},
    )
