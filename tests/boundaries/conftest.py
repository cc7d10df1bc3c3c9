"""The sources of everything that runs, parsed once."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("libs/contracts/src", "libs/runtime/src", "services/*/src", "deploy/fcm/src")


@dataclass(frozen=True)
class Source:
    """One module."""

    package: str
    """`synctalk_api`."""
    path: Path
    """Inside of the package: `store/messages.py`."""
    tree: ast.Module

    @property
    def room(self) -> str:
        """The folder or module directly below the package: `store`, `rules`, `main`."""
        return self.path.parts[0].removesuffix(".py")

    @property
    def name(self) -> str:
        return f"{self.package}/{self.path}"

    @property
    def imports(self) -> list[str]:
        """Every imported name with its module, `synctalk_api.store.messages.Message`; also those for types only."""
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found += [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]
        return found


def parse(package: str, path: str, text: str) -> Source:
    return Source(package, Path(path), ast.parse(text, filename=path, feature_version=(3, 11)))


def read_sources(folders: tuple[str, ...] = SOURCES) -> list[Source]:
    return [
        parse(folder.name, str(file.relative_to(folder)), file.read_text())
        for pattern in folders
        for folder in sorted(ROOT.glob(f"{pattern}/synctalk_*"))
        for file in sorted(folder.rglob("*.py"))
    ]


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    found = read_sources()
    assert {source.package for source in found} >= {
        "synctalk_contracts",
        "synctalk_runtime",
        *(f"synctalk_{name}" for name in ("auth", "api", "gateway", "presence", "notifier", "fcm")),
    }
    return found


@pytest.fixture(scope="session")
def source_of():  # type: ignore[no-untyped-def]
    """Makes a source of a text, to show that a check sees what it is for: `source_of(package, path, text)`."""
    return parse
