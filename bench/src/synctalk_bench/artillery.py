"""`make load`: users in groups talk, played by Artillery's runner and Socket.IO engine; it prints what it measured.

Exits with a code that is not 0 where somebody could not connect or a message was not acked.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from synctalk_local import node
from synctalk_local.stack import stack_from_environment

FOLDER = Path(__file__).resolve().parents[2] / "artillery"
LONGEST_S = 600
"""By then the tokens end."""


def load(url: str, users: int, seconds: int, report: Path | None, environment: Mapping[str, str]) -> int:
    """Register the users, and play the scenario; `report`: a file for what is printed, as JSON. The exit code."""
    prepared = subprocess.run(["node", "prepare.mjs", url, str(users)], cwd=FOLDER, env=environment, check=False)
    if prepared.returncode != 0:
        return prepared.returncode
    settings = {"SYNCTALK_URL": url, "USERS": str(users), "SECONDS": str(seconds)}
    command = ["node", "run.mjs", *([str(report.resolve())] if report else [])]
    return subprocess.run(command, cwd=FOLDER, env={**environment, **settings}, check=False).returncode


def main() -> int:
    stack = stack_from_environment()
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--url", default=stack.address, help="what to load; by default the running system")
    parser.add_argument(
        "--users", type=int, default=50, help="in groups of ten; each writes ten messages in ten seconds"
    )
    parser.add_argument("--seconds", type=int, default=20, help="within which all of them come")
    parser.add_argument("--output", type=Path, help="a file for the report, in the format of artillery run --output")
    chosen = parser.parse_args()
    if not 1 <= chosen.seconds <= LONGEST_S:
        parser.error(f"--seconds must be 1 to {LONGEST_S}.")
    try:
        environment = node.environment(stack.data, print)
        node.fetch_modules(FOLDER, environment, stack.data / "logs" / "artillery-modules.log")
    except node.NodeError as error:
        print(error, file=sys.stderr)
        return 1
    return load(chosen.url, chosen.users, chosen.seconds, chosen.output, environment)


if __name__ == "__main__":
    sys.exit(main())
