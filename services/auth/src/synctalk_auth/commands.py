"""The operator's commands beside those of every service: signing keys and server keys."""

import sys
from argparse import ArgumentParser

import structlog
from pydantic import TypeAdapter
from synctalk_contracts.models import Scope
from synctalk_contracts.text import Title
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_auth.actions.keys import KeyRotation
from synctalk_auth.actions.server_keys import ServerKeys
from synctalk_auth.settings import Settings

log = structlog.get_logger()


async def rotate_keys(settings: Settings) -> None:
    """Publish the next key before it is due."""
    postgres = Postgres(settings)
    await postgres.open()
    try:
        published = await KeyRotation(postgres, settings).rotate(utc_now())
    finally:
        await postgres.close()
    log.info("rotate_keys.done", published=published)


async def replace_keys(settings: Settings) -> None:
    """After a key leaked: a new one signs at once, all others are gone."""
    postgres = Postgres(settings)
    await postgres.open()
    try:
        await KeyRotation(postgres, settings).replace(utc_now())
    finally:
        await postgres.close()
    log.info("replace_keys.done")


async def server_keys(settings: Settings) -> None:
    """Make a server key and print it, and nothing else."""
    parser = ArgumentParser(prog="synctalk keys")
    create = parser.add_subparsers(required=True).add_parser("create", help="make a server key and print it")
    create.add_argument("--name", required=True)
    create.add_argument("--scopes", default=" ".join(Scope), help=f"by default all: {' '.join(Scope)}")
    given = parser.parse_args(sys.argv[2:])
    try:
        name = TypeAdapter(Title).validate_python(given.name)
        scopes = [Scope(scope) for scope in given.scopes.replace(",", " ").split()]
    except ValueError as error:
        parser.error(str(error))
    if not scopes:
        parser.error("no scopes")
    postgres = Postgres(settings)
    await postgres.open()
    try:
        _, key = await ServerKeys(postgres, settings.server_keys_max).create(name, scopes, None, by=None)
    finally:
        await postgres.close()
    sys.stdout.write(f"{key}\n")
