"""Programs in the languages of the client libraries, run as an app would run them."""

import functools
import shutil
import subprocess
import sys
from pathlib import Path

from synctalk_local import node
from synctalk_local.commands import web
from synctalk_local.stack import CHECKOUT

DATA = CHECKOUT / ".local"


def of_code(language: str, code: str) -> list[str]:
    """Return the command that runs this code; in the checkout, where JavaScript finds the client."""
    return (
        [sys.executable, "-c", code]
        if language == "python"
        else [node_with_client(), "--input-type=module", "--eval", code]
    )


def of_file(path: Path) -> list[str]:
    return [sys.executable if path.suffix == ".py" else node_with_client(), str(path)]


@functools.cache
def node_environment() -> dict[str, str]:
    """Return the environment in which `node` and `npm` are new enough."""
    return node.environment(DATA, print)


@functools.cache
def node_with_client() -> str:
    """Return the path of Node, which finds `@synctalk/client` built from its sources."""
    web.build_library(CHECKOUT, DATA / "logs" / "js-client.log", print)
    environment = node_environment()
    found = shutil.which("node", path=environment["PATH"])
    assert found is not None
    # PyPI's is a script that needs the environment, and runs this one.
    command = [found, "--print", "process.execPath"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
