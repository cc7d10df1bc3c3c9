"""Run one flood: `python -m synctalk_testkit.floods NAME < target.json`."""

import asyncio
import json
import os
import sys

from synctalk_testkit.floods.attempts import FLOODS
from synctalk_testkit.floods.target import Target, flood

NICENESS = 10
"""An attacker has a machine of its own: here it must not win the processor from those it attacks."""

if __name__ == "__main__":
    os.nice(NICENESS)
    outcome = asyncio.run(flood(Target.from_json(sys.stdin.read()), FLOODS[sys.argv[1]]))
    sys.stdout.write(json.dumps(outcome))
