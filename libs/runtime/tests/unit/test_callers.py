"""Who may call which internal route, by which secrets, and that no route is without a rule."""

from typing import Any

import pytest
from fastapi import APIRouter, Depends
from pydantic import ValidationError
from synctalk_contracts.internal_routes import ROUTES, InternalRoute
from synctalk_runtime.app import create_app
from synctalk_runtime.health import Health
from synctalk_runtime.internal import Callers, Credential, require_internal

SHARED, GATEWAYS, NEW = "a secret that all share", "the secret of gateways", "the next secret of gateways"
RULES = [
    InternalRoute("test", "GET", "/internal/heads", ("gateway",), ""),
    InternalRoute("test", "GET", "/internal/users/{user_id}", ("gateway", "auth"), ""),
    InternalRoute("other", "GET", "/internal/pushes", ("notifier",), ""),
]


def _callers(make_settings: Any, **given: str) -> Callers:
    return Callers.of(make_settings(internal_secret=SHARED, **given), RULES)


@pytest.mark.parametrize("caller", ["gateway", "auth", ""])
def test_callers__nothing_else_set__share_one_secret(make_settings: Any, caller: str) -> None:
    callers = _callers(make_settings)

    assert callers.is_known(caller, SHARED.encode())
    assert not callers.is_known(caller, GATEWAYS.encode())


def test_callers__one_with_a_secret_of_its_own__is_known_by_no_other(make_settings: Any) -> None:
    callers = _callers(make_settings, internal_secret_gateway=GATEWAYS)

    assert callers.is_known("gateway", GATEWAYS.encode())
    assert callers.is_known("auth", SHARED.encode())
    for caller, secret in (("gateway", SHARED), ("auth", GATEWAYS), ("", SHARED), ("", GATEWAYS), ("api", SHARED)):
        assert not callers.is_known(caller, secret.encode())


def test_callers__two_secrets_of_one__are_both_valid(make_settings: Any) -> None:
    callers = _callers(make_settings, internal_secret_gateway=f"{GATEWAYS}, {NEW}")

    assert [callers.is_known("gateway", one.encode()) for one in (GATEWAYS, NEW, f"{GATEWAYS}, {NEW}")] == [1, 1, 0]


def test_credential__of_two_secrets__is_the_first(make_settings: Any) -> None:
    credential = Credential.of(make_settings(internal_secret=f"{NEW},{SHARED}"))

    assert (credential.caller, credential.secret) == ("test", NEW)
    assert NEW not in repr(credential)


def test_callers__may_use_their_routes_only(make_settings: Any) -> None:
    callers = _callers(make_settings)

    assert callers.may("gateway", "GET", "/internal/heads")
    assert callers.may("auth", "GET", "/internal/users/{user_id}")
    assert not callers.may("auth", "GET", "/internal/heads")
    assert not callers.may("gateway", "POST", "/internal/heads")
    assert not callers.may("notifier", "GET", "/internal/pushes")


@pytest.mark.parametrize("setting", ["internal_secret", "internal_secret_gateway"])
def test_secrets__one_of_them_short__are_refused(make_settings: Any, setting: str) -> None:
    with pytest.raises(ValidationError, match="at least 16"):
        make_settings(**{setting: f"{GATEWAYS},short"})


def test_secrets__a_published_one_of_a_caller__is_a_problem_in_production(make_settings: Any) -> None:
    settings = make_settings(internal_secret_gateway=f"{GATEWAYS},changemechangeme")

    assert "SYNCTALK_INTERNAL_SECRET_GATEWAY is a well-known example value." in settings.production_problems()


def _router(*names: str) -> APIRouter:
    router = APIRouter(prefix="/internal", dependencies=[Depends(require_internal)])
    for name in names:
        router.add_api_route(f"/{name}", lambda: None)
    return router


def test_app__a_route_without_a_rule__is_not_built(make_settings: Any) -> None:
    routers = [_router("heads", "users/{user_id}", "forgotten")]
    with pytest.raises(ValueError, match="GET /internal/forgotten"):
        create_app(make_settings(), routers, Health(), internal_routes=RULES)


def test_app__a_rule_without_a_route__is_not_built(make_settings: Any) -> None:
    with pytest.raises(ValueError, match="GET /internal/heads"):
        create_app(make_settings(), [_router("users/{user_id}")], Health(), internal_routes=RULES)


def test_routes__are_named_once() -> None:
    assert len({(route.service, route.method, route.path) for route in ROUTES}) == len(ROUTES)
