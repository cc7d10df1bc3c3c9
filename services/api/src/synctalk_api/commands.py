"""The operator's commands beside those of every service: moving conversations to another store, and reports."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from uuid import UUID

import orjson
import structlog
from synctalk_contracts.ids import format_time

from synctalk_api.actions import reports
from synctalk_api.actions.moving import Mover, partitions_in
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
