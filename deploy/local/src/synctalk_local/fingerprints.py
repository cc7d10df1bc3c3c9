"""Whether a part is still what was started: a hash over its command, its files, and the code that it runs."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from synctalk_local.part import Part

SHARED_CODE = ("libs/contracts/src", "libs/runtime/src")
CODE = frozenset({".py", ".lua", ".sql", ".json"})


def fingerprint(part: Part, checkout: Path) -> str:
    digest = hashlib.sha256()
    digest.update(json.dumps([part.command, sorted(part.environment.items())]).encode())
    for path, text in sorted(part.files.items()):
        digest.update(f"{path}\0{text}\0".encode())
    for path in _code(part, checkout):
        digest.update(f"{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def migrations_fingerprint(part: Part, checkout: Path) -> str:
    """Changes with the service's migrations, and with the database they were run on."""
    digest = hashlib.sha256(part.files.get(part.directory / "secrets" / "synctalk_database_url", "").encode())
    for path in _code(part, checkout):
        if "migrations" in path.parts or path.name == "migrate.py":
            digest.update(f"{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _code(part: Part, checkout: Path) -> list[Path]:
    module = next((word for word in part.command if word.startswith("synctalk_")), None)
    if module is None:
        return []
    name = module.removeprefix("synctalk_")
    own = checkout / ("deploy/fcm/src" if name == "fcm" else f"services/{name}/src")
    folders = [own, *(checkout / folder for folder in SHARED_CODE)]
    return [*sorted(_files(folders)), checkout / "uv.lock"]


def _files(folders: Iterable[Path]) -> Iterable[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.suffix in CODE and path.is_file())


class Memory:
    """What was started with which fingerprint, kept in the data folder."""

    def __init__(self, data: Path) -> None:
        self._path = data / "fingerprints.json"
        self._known: dict[str, str] = json.loads(self._path.read_text()) if self._path.exists() else {}

    def has(self, name: str, value: str) -> bool:
        return self._known.get(name) == value

    def keep(self, name: str, value: str) -> None:
        self._known[name] = value
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._known, indent=1))
        fresh.replace(self._path)

    def forget(self, name: str) -> None:
        self._known.pop(name, None)
