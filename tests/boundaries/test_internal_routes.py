"""Every service's internal routes are those of the contract, each caller calls its own routes only, and no other."""

import re
from pathlib import Path

import pytest
from synctalk_contracts.internal_routes import ROUTES, callers_in, callers_of

SERVICES = Path(__file__).parents[2] / "services"
NAMES = ("auth", "api", "gateway", "presence", "notifier")
PATH = re.compile(r"\"(/internal/[^\"?]+)\"")


BY_THE_RUNTIME = ("/internal/revocations", "/internal/credentials/", "/internal/directory")
"""What every service asks without a client of its own."""


def _called_by(service: str) -> set[str]:
    """Return the paths in the code of the service's clients, parameters as `{}`."""
    source = SERVICES / service / "src" / f"synctalk_{service}"
    files = source.glob("clients/*.py")
    return {re.sub(r"{[^}]*}", "{}", path) for file in files for path in PATH.findall(file.read_text())}


def test_routes__are_of_services_and_for_services() -> None:
    assert {route.service for route in ROUTES} | set(callers_in(ROUTES)) == set(NAMES)


@pytest.mark.parametrize("service", NAMES)
def test_callers__call_what_they_may_and_need_no_less(service: str) -> None:
    allowed = {
        re.sub(r"{[^}]*}", "{}", route.path)
        for route in ROUTES
        if service in route.callers and not route.path.startswith(BY_THE_RUNTIME)
    }

    assert _called_by(service) == allowed


@pytest.mark.parametrize("service", ["auth", "api", "presence"])
def test_service__calls_not_itself(service: str) -> None:
    assert service not in callers_of(service)
