"""Each example can be read at a glance, and the README says what it needs."""

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1]
PROGRAMS = sorted(path for folder in ("python", "js") for path in (EXAMPLES / folder).iterdir() if path.is_file())


def _name(path: Path) -> str:
    return path.relative_to(EXAMPLES).as_posix()


@pytest.mark.parametrize("program", PROGRAMS, ids=_name)
def test_program__has_less_than_50_lines__and_is_in_the_readme(program: Path) -> None:
    assert len(program.read_text().splitlines()) < 50
    assert f"]({_name(program)})" in (EXAMPLES / "README.md").read_text()
