"""`make load`: users in groups talk, played by Artillery, at any address; it prints what it measured.

Exits with Artillery's code, which is not 0 where somebody could not connect or a message was not acked.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from synctalk_local import node
from synctalk_local.stack import stack_from_environment

FOLDER = Path(__file__).resolve().parents[2] / "artillery"
LEAST_NODE = 24
"""Artillery needs 22.18."""
LONGEST_S = 600
"""By then the tokens end."""


def load(url: str, users: int, seconds: int, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Register the users, and run the scenario with these arguments of Artillery; its exit code."""
    prepared = subprocess.run(["node", "prepare.mjs", url, str(users)], cwd=FOLDER, env=environment, check=False)
    if prepared.returncode != 0:
        return prepared.returncode
    settings = {
        "SYNCTALK_URL": url,
        "USERS": str(users),
        "SECONDS": str(seconds),
        "ARTILLERY_DISABLE_TELEMETRY": "true",
    }
    command = ["node", "node_modules/artillery/bin/run", "run", "talk.yml", *arguments]
    return subprocess.run(command, cwd=FOLDER, env={**environment, **settings}, check=False).returncode


def main() -> int:
    stack = stack_from_environment()
    parser = argparse.ArgumentParser(
        prog="make load", description=__doc__, epilog="Further options are Artillery's: --output /tmp/report.json"
    )
    parser.add_argument("--url", default=stack.address, help="what to load; by default the running system")
    parser.add_argument(
        "--users", type=int, default=50, help="in groups of ten; each writes ten messages in ten seconds"
    )
    parser.add_argument("--seconds", type=int, default=20, help="within which all of them come")
    chosen, arguments = parser.parse_known_args()
    if not 1 <= chosen.seconds <= LONGEST_S:
        parser.error(f"--seconds must be 1 to {LONGEST_S}.")
    try:
        environment = node.environment(stack.data, print, LEAST_NODE)
        node.fetch_modules(FOLDER, environment, stack.data / "logs" / "artillery-modules.log")
    except node.NodeError as error:
        print(error, file=sys.stderr)
        return 1
    return load(chosen.url, chosen.users, chosen.seconds, arguments, environment)


if __name__ == "__main__":
    sys.exit(main())
