"""Who may import whom.

Between packages: a service imports itself, contracts and runtime; runtime imports contracts; contracts import pydantic
and what knows Unicode.
Inside of a service: handlers → actions → rules, store, clients, one way only. What is imported is declared.
"""

import sys
from importlib.metadata import distribution, packages_distributions
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.boundaries.conftest import read_sources

OURS = "synctalk_"
LIBRARIES = {
    "synctalk_contracts": {"synctalk_contracts"},
    "synctalk_runtime": {"synctalk_contracts", "synctalk_runtime"},
}
TOOLS = {
    "synctalk_backing": {"synctalk_backing"},
    "synctalk_testkit": {"synctalk_contracts", "synctalk_runtime", "synctalk_backing", "synctalk_testkit"},
    "synctalk_local": {"synctalk_contracts", "synctalk_backing", "synctalk_local"},
    "synctalk_systemtest": {
        "synctalk_contracts",
        "synctalk_backing",
        "synctalk_testkit",
        "synctalk_local",
        "synctalk_systemtest",
    },
}
"""What runs and tests the services: nothing in `libs` imports from `deploy`."""

HANDLERS = {"routes", "consumers", "sockets"}
NOT_FROM_HERE: dict[str, set[str]] = {
    "actions": HANDLERS | {"main"},
    "rules": HANDLERS | {"actions", "store", "clients", "main"},
    "store": HANDLERS | {"actions", "clients", "hub", "main"},
    "clients": HANDLERS | {"actions", "store", "main"},
    "hub": HANDLERS | {"actions", "store", "clients", "main"},
    "protocol": HANDLERS | {"actions", "store", "clients", "hub", "main"},
    "errors": HANDLERS | {"actions", "rules", "store", "clients", "hub", "main"},
    "settings": HANDLERS | {"actions", "rules", "store", "clients", "hub", "main"},
}
TYPES_ONLY = {"store", "clients"}
"""A handler may name a type of these, and calls nothing there."""


def foreign(source: Any) -> list[str]:
    """Imports of packages of ours that are none of its business."""
    allowed = (LIBRARIES | TOOLS).get(source.package, LIBRARIES["synctalk_runtime"] | {source.package})
    return [
        f"{source.name} imports {name}"
        for name in source.imports
        if name.startswith(OURS) and name.split(".")[0] not in allowed
    ]


def backwards(source: Any) -> list[str]:
    """Imports inside of a service against the one way."""
    return [
        f"{source.name} imports {name}"
        for name in source.imports
        if name.startswith(f"{source.package}.") and not _is_onward(source.room, name)
    ]


def _is_onward(room: str, name: str) -> bool:
    parts = name.split(".")
    target, imported = parts[1], parts[-1]
    if target == room:
        return True
    if room in HANDLERS:
        return target not in HANDLERS | {"main"} and (target not in TYPES_ONLY or imported[0].isupper())
    return target not in NOT_FROM_HERE.get(room, {"main"} if room != "__main__" else set())


def undeclared(source: Any, declared: set[str]) -> list[str]:
    """Imports of distributions that neither the package nor a library of ours names."""
    return [
        f"{source.name} imports {name}"
        for name in source.imports
        if (top := name.split(".")[0]) not in sys.stdlib_module_names
        and not top.startswith(OURS)
        and not declared & {_canonical(d) for d in _DISTRIBUTIONS.get(top, [])}
    ]


def _declared(package: str) -> set[str]:
    """What the package requires, and what those libraries of ours require that it requires."""
    found: set[str] = set()
    for text in distribution(package.replace("_", "-")).requires or []:
        name = _canonical(Requirement(text).name)
        found |= {name} | (_declared(name.replace("-", "_")) if name.startswith("synctalk-") else set())
    return found | {_canonical(extra) for extra in _COME_WITH.keys() & found for extra in _COME_WITH[extra]}


_DISTRIBUTIONS = packages_distributions()
_COME_WITH = {
    "aio-pika": {"aiormq", "pamqp", "yarl"},
    "fastapi": {"starlette", "pydantic"},
    "opentelemetry-sdk": {"opentelemetry-api"},
    "uvicorn": {"websockets", "uvloop", "httptools"},
    "pydantic-settings": {"pydantic"},
    "pyjwt": {"cryptography"},
    "redis": {"hiredis"},
}
"""One library in several distributions; an extra that is asked for brings the others."""


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-")


def test_packages__nobody__imports_another_service(sources: list[Any]) -> None:
    assert [problem for source in sources for problem in foreign(source)] == []


def test_tools__imports__go_from_deploy_to_libs() -> None:
    tools = read_sources(("libs/backing/src", "libs/testkit/src", "deploy/local/src", "deploy/systemtest/src"))

    assert {source.package for source in tools} == set(TOOLS)
    assert [problem for source in tools for problem in foreign(source)] == []


def test_contracts__import__pydantic_orjson_and_what_knows_unicode_and_nothing_else(sources: list[Any]) -> None:
    outside = {
        name.split(".")[0]
        for source in sources
        if source.package == "synctalk_contracts"
        for name in source.imports
        if name.split(".")[0] not in sys.stdlib_module_names
    }

    assert outside == {"pydantic", "orjson", "emoji", "regex", "synctalk_contracts"}


def test_rooms__imports__go_one_way(sources: list[Any]) -> None:
    services = [source for source in sources if source.package not in LIBRARIES]

    assert [problem for source in services for problem in backwards(source)] == []


def test_distributions__that_are_imported__are_declared(sources: list[Any]) -> None:
    declared = {package: _declared(package) for package in {source.package for source in sources}}

    assert [problem for source in sources for problem in undeclared(source, declared[source.package])] == []


def test_imports__relative_ones__are_none(sources: list[Any]) -> None:
    assert [source.name for source in sources if any(name.startswith(".") for name in source.imports)] == []


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("synctalk_api", "from synctalk_auth.store import users"),
        ("synctalk_api", "import synctalk_gateway"),
        ("synctalk_runtime", "from synctalk_api import rules"),
        ("synctalk_contracts", "from synctalk_runtime import ids"),
        ("synctalk_api", "from synctalk_testkit import tokens"),
        ("synctalk_testkit", "from synctalk_local import stack"),
    ],
)
def test_check__an_import_of_another_service__is_seen(source_of: Any, package: str, line: str) -> None:
    assert foreign(source_of(package, "actions/a.py", line))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("actions/a.py", "from synctalk_api.routes import messages"),
        ("actions/a.py", "from synctalk_api.main import build"),
        ("rules.py", "from synctalk_api.store.messages import insert"),
        ("rules.py", "from synctalk_api import store"),
        ("store/a.py", "from synctalk_api.actions.messages import write"),
        ("store/a.py", "from synctalk_api.clients import replies"),
        ("clients/a.py", "import synctalk_api.actions.messages"),
        ("routes/a.py", "from synctalk_api.store import messages"),
        ("routes/a.py", "from synctalk_api.consumers.commands import serve"),
        ("consumers/a.py", "from synctalk_api.clients.replies import answer"),
        ("errors.py", "from synctalk_api.actions import messages"),
        ("settings.py", "from synctalk_api.actions import send"),
    ],
)
def test_check__a_step_back__is_seen(source_of: Any, path: str, line: str) -> None:
    assert backwards(source_of("synctalk_api", path, line))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("routes/a.py", "from synctalk_api.actions.messages import write"),
        ("routes/a.py", "from synctalk_api.store.messages import Page"),
        ("routes/a.py", "from synctalk_api.routes.times import of"),
        ("actions/a.py", "from synctalk_api.store import messages"),
        ("main.py", "from synctalk_api.routes import messages"),
        ("__main__.py", "from synctalk_api.main import build"),
    ],
)
def test_check__a_step_on__is_not(source_of: Any, path: str, line: str) -> None:
    assert backwards(source_of("synctalk_api", path, line)) == []


def test_check__what_is_not_declared__is_seen(source_of: Any) -> None:
    assert undeclared(source_of("synctalk_api", "main.py", "import jsonschema"), {"fastapi"})
    assert undeclared(source_of("synctalk_api", "main.py", "import fastapi, json"), {"fastapi"}) == []
