"""What docs/reliability.md promises is shown by tests that exist."""

import re
from pathlib import Path

from tests.boundaries.conftest import ROOT

PAGE = ROOT / "docs/reliability.md"
LINK = re.compile(r"\[`(test_\w+)`\]\(([^)]+)\)")


def test_reliability__every_test_it_names__exists() -> None:
    links = LINK.findall(PAGE.read_text())
    missing = [f"{name} in {path}" for name, path in links if not _has(PAGE.parent / path, name)]

    assert len(links) > 30
    assert missing == []


def test_reliability__every_row__names_a_test() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and " test |" not in line]

    assert [row for row in rows if not LINK.search(row)] == []


def _has(file: Path, name: str) -> bool:
    return file.exists() and re.search(rf"def {name}\(", file.read_text()) is not None
