from pathlib import Path

import pytest
from synctalk_local.edge import render, variables
from synctalk_local.ports import ports_for

CHECKOUT = Path(__file__).parents[4]


def test_render__a_variable_without_a_value__is_an_error() -> None:
    with pytest.raises(KeyError):
        render("listen ${UNHEARD_OF};", {})


def test_render__the_template__fills_in_everything_and_keeps_nginx_variables() -> None:
    template = (CHECKOUT / "deploy/edge/nginx.conf.template").read_text()

    text = render(template, variables(Path("/d"), ports_for(8080), Path("/w")))

    assert "${" not in text
    assert "$proxy_connection" in text


def test_variables__for_each_gateway__an_upstream_and_a_route() -> None:
    values = variables(Path("/d"), ports_for(8080, gateways=3), Path("/w"))

    assert "~^3- gateway_3;" in values["GATEWAY_ROUTES"]
    assert values["GATEWAY_SERVERS"].count("server ") == 3
