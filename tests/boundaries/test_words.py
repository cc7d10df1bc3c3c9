"""The repository speaks of the project alone: no path of somebody's machine, nothing left to do without saying so."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("libs", "services", "deploy", "docs", "tests", "bench", "frontend/src", "frontend/e2e", ".github", ".ci")
FILES = ("*.md", "*.toml", "*.yml", "Makefile", ".env.example", ".dockerignore")
SUFFIXES = {
    ".py", ".sql", ".lua", ".md", ".toml", ".yml", ".yaml", ".json", ".sh", ".ts", ".tsx", ".css", ".html", ".template",
    "",
}  # fmt: skip
UNWANTED = {
    "a path of a machine": re.compile(r"/(work|home/\w+|Users/\w+)/\w"),
    "something left to do": re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b"),
}
SKIPPED = {"node_modules", "__pycache__", "dist", ".venv", "test-results", ".local", "coverage"}


def texts() -> list[Path]:
    inside = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    above = (path for pattern in FILES for path in ROOT.glob(pattern))
    return [
        path
        for path in (*inside, *above)
        if path.is_file() and path.suffix in SUFFIXES and not SKIPPED & set(path.relative_to(ROOT).parts)
    ]


@pytest.mark.parametrize("what", UNWANTED)
def test_texts__hold_nothing_that_is_only_ours(what: str) -> None:
    found = []
    for path in texts():
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if UNWANTED[what].search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")

    assert found == []


def test_check__a_path_of_a_machine__is_seen() -> None:
    folder = "work"
    assert UNWANTED["a path of a machine"].search(f"see /{folder}/somewhere")
    assert not UNWANTED["a path of a machine"].search("see https://example.com/homework/a")


def test_lock__names_no_registry() -> None:
    """Packages come from the index of whoever installs; after `uv lock` empty what it wrote."""
    assert set(re.findall(r'registry = "(.*?)"', (ROOT / "uv.lock").read_text())) == {""}
