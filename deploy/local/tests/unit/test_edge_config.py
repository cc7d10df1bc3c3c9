import re
from pathlib import Path

import pytest
from pydantic import ValidationError
from synctalk_gateway.settings import Settings
from synctalk_local.ports import ports_for
from synctalk_local.processes.edge import given_in, render, variables
from synctalk_systemtest.edge import image_defaults, production_limits

CHECKOUT = Path(__file__).parents[4]
SECRETS = {"internal_secret": "x" * 16, "redis_url": "redis://localhost", "rabbitmq_url": "amqp://localhost"}


def test_render__a_variable_without_a_value__is_an_error() -> None:
    with pytest.raises(KeyError):
        render("listen ${UNHEARD_OF};", {})


def test_render__the_template__fills_in_everything_and_keeps_nginx_variables() -> None:
    template = (CHECKOUT / "deploy/edge/nginx.conf.template").read_text()

    text = render(template, variables(Path("/d"), ports_for(8080), Path("/w")))

    assert "${" not in text
    assert "$proxy_connection" in text


def test_variables__for_each_gateway__an_upstream_and_a_route() -> None:
    values = variables(Path("/d"), ports_for(8080, {"api": 2, "gateway": 3}), Path("/w"))

    assert r"~^gateway-3\. gateway_3;" in values["GATEWAY_ROUTES"]
    assert values["GATEWAY_SERVERS"].count("server ") == 3
    assert values["API_SERVERS"].count("server ") == 2
    assert f"listen 127.0.0.1:{ports_for(8080).balanced_api};" in values["EDGE_HTTP"]


def test_socket_timeout__is_longer_than_the_longest_pause_between_pings() -> None:
    template = (CHECKOUT / "deploy/edge/nginx.conf.template").read_text()
    _, _, socket_location = template.partition("location /socket.io/")
    timeout = re.search(r"proxy_read_timeout (\d+)s;", socket_location)

    assert timeout is not None
    with pytest.raises(ValidationError, match="ping_interval_s"):
        Settings.model_validate(SECRETS | {"ping_interval_s": int(timeout[1])})
    assert int(timeout[1]) < 300


def test_settings__of_the_edge__are_its_variables() -> None:
    settings = production_limits()

    given = given_in(settings | {"SYNCTALK_EDGE_AUTH_PER_S": "7", "SYNCTALK_LOG_LEVEL": "debug"})

    assert given.pop("EDGE_AUTH_PER_S") == "7"
    assert given == {name: value for name, value in image_defaults().items() if name in given}
    assert len(given) == len(settings) - 1 == 8


@pytest.mark.parametrize(
    "setting", ["https://a.example, https://b.example", '["https://a.example","https://b.example"]']
)
def test_allowed_origins__of_the_services__are_the_edges_too(setting: str) -> None:
    given = given_in({"SYNCTALK_ALLOWED_ORIGINS": setting})

    assert given["ALLOWED_ORIGINS"].split() == [
        f'"{o}"{e}' for o in ("https://a.example", "https://b.example") for e in ("", ";")
    ]
    assert given["VARY_ORIGIN"] == "Origin"
    assert given["EMBEDDING_ORIGINS"] == "https://a.example https://b.example"
    assert given_in({"SYNCTALK_ALLOWED_ORIGINS": ""}) == {}
