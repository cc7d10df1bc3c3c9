"""What `python -m synctalk_<service>` may start is named by text, so that a command imports only what it uses."""

import ast
import pkgutil
import re

import pytest

from tests.boundaries.conftest import Source, read_sources

NAME = re.compile(r"synctalk_[\w.]+:\w+")
PROGRAMS = [
    source
    for source in read_sources(("services/*/src",))
    if str(source.path) == "__main__.py"  # that of a folder inside of a service is another program's
]


def names_in(source: Source) -> list[str]:
    texts = [each.value for each in ast.walk(source.tree) if isinstance(each, ast.Constant)]
    return [text for text in texts if isinstance(text, str) and NAME.fullmatch(text)]


@pytest.mark.parametrize("source", PROGRAMS, ids=lambda source: source.package)
def test_program__names_what_it_starts__and_imports_no_service(source: Source) -> None:
    names = names_in(source)
    assert f"{source.package}.main:build" in names
    assert all(callable(pkgutil.resolve_name(name)) for name in names)
    assert not [name for name in source.imports if name.startswith(f"{source.package}.main")]


def test_programs__are_those_of_all_services() -> None:
    assert len(PROGRAMS) == 5
