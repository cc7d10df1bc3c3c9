"""The web client's files: built once per change by npm; a plain page stands in where there is no client to build."""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from synctalk_local import node

BUILT_FROM = ".built-from"
NOT_SOURCE = frozenset({"node_modules", "dist", "tests", "test-results", "playwright-report", ".vite", "coverage"})


def web_root(checkout: Path) -> Path:
    """The folder to serve: the built client, or the plain page that says what runs."""
    built = checkout / "frontend" / "dist"
    return built if (built / "index.html").exists() else checkout / "deploy" / "edge" / "plain"


def build(checkout: Path, log: Path, say: Callable[[str], None]) -> None:
    """Build the client if its sources changed since the last build. Raises NodeError."""
    frontend = checkout / "frontend"
    if (frontend / "package.json").exists():
        _build(checkout, frontend, [frontend, checkout / "clients" / "js"], log, say)


def build_library(checkout: Path, log: Path, say: Callable[[str], None]) -> None:
    """Build the JavaScript client, which Node's programs import, in the same way. Raises NodeError."""
    library = checkout / "clients" / "js"
    _build(checkout, library, [library], log, say)


def _build(checkout: Path, project: Path, sources: list[Path], log: Path, say: Callable[[str], None]) -> None:
    with _alone(checkout):
        wanted = _sources_hash(*sources)
        built_from = project / "dist" / BUILT_FROM
        if built_from.exists() and built_from.read_text() == wanted:
            return
        environment = node.environment(log.parent.parent, say)
        say(f"{project.relative_to(checkout)}: building …")
        node.fetch_modules(checkout, environment, log)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as output:
            node.run(["npm", "run", "build"], project, environment, output, log)
        built_from.write_text(wanted)


@contextmanager
def _alone(checkout: Path) -> Iterator[None]:
    """Several stacks may share the checkout: one of them installs and builds at a time."""
    with (checkout / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def npm(checkout: Path, data: Path, arguments: list[str], say: Callable[[str], None]) -> int:
    """Run npm in the client's folder, with its modules and a Node that is new enough; its exit code."""
    frontend = checkout / "frontend"
    if not (frontend / "package.json").exists():
        say("There is no web client here.")
        return 0
    environment = node.environment(data, say)
    with _alone(checkout):
        node.fetch_modules(checkout, environment, data / "logs" / "web-modules.log")
    return subprocess.run(["npm", *arguments], cwd=frontend, env=environment, check=False).returncode


def _sources_hash(*roots: Path) -> str:
    digest = hashlib.sha256()
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if name not in NOT_SOURCE)
            for name in sorted(names):
                path = Path(folder) / name
                if path.suffix == ".tsbuildinfo":
                    continue
                digest.update(f"{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()
