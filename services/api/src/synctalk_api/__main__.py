"""`python -m synctalk_api`: serve · `migrate`: bring the tables of all stores up to date · `dead list|replay|drop` ·
`move PARTITIONS STORE`, as in `move 0-127 second`: move conversations to another store while users talk · `reports
list`: show the messages that members reported, a line of JSON each · `reports close ID …`: take them off that list."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from importlib.resources import files
from uuid import UUID

import orjson
import structlog
from synctalk_contracts import topology
from synctalk_contracts.ids import format_time
from synctalk_runtime import cli

from synctalk_api.actions import reports
from synctalk_api.actions.moving import Mover, partitions_in
from synctalk_api.main import build
from synctalk_api.settings import Settings

log = structlog.get_logger()


async def move(settings: Settings) -> None:
    """Move partitions of the conversations to another store."""
    parser = ArgumentParser("synctalk_api move")
    parser.add_argument("partitions", type=_partitions, help="as in 0-127,200")
    parser.add_argument("store", help="main, or a name in SYNCTALK_API_STORES")
    asked = parser.parse_args(sys.argv[2:])
    async with Mover.opened(settings) as mover:
        log.info("move.done", moved=await mover.move(asked.partitions, asked.store))


async def show_reports(settings: Settings) -> None:
    """Show or close what members have reported."""
    parser = ArgumentParser("synctalk_api reports")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="show those that are open, oldest first")
    verbs.add_parser("close").add_argument("ids", nargs="+", type=UUID)
    asked = parser.parse_args(sys.argv[2:])
    if asked.verb == "close":
        log.info("reports.closed", count=await reports.close(settings, map(str, asked.ids)))
        return
    for report in await reports.open_reports(settings):
        shown = asdict(report) | {"created_at": format_time(report.created_at)}
        sys.stdout.write(orjson.dumps(shown).decode() + "\n")


def _partitions(text: str) -> list[int]:
    try:
        return partitions_in(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    cli.main(
        Settings,
        build,
        files("synctalk_api") / "migrations",
        queues=(topology.API_USERS,),
        commands={"move": move, "reports": show_reports},
    )
