"""`python -m synctalk_auth`: serve · `migrate` · `dead list|replay|drop` · `rotate-keys` · `replace-keys` ·
`keys create --name NAME --scopes "SCOPE …"`."""

from importlib.resources import files

from synctalk_contracts import topology
from synctalk_runtime import cli

from synctalk_auth.settings import Settings


def main() -> None:
    cli.main(
        Settings,
        "synctalk_auth.main:build",
        files("synctalk_auth") / "migrations",
        queues=(topology.AUTH_USERS,),
        commands={
            "rotate-keys": "synctalk_auth.commands:rotate_keys",
            "replace-keys": "synctalk_auth.commands:replace_keys",
            "keys": "synctalk_auth.commands:server_keys",
        },
    )


if __name__ == "__main__":
    main()
