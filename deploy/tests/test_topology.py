"""docker-compose.yml, the edge's template and the Kubernetes manifests say what `topology.toml` says."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from synctalk_contracts.accounts import ACCESS
from synctalk_contracts.internal_routes import callers_of
from synctalk_k8s.manifests import Workload, workloads
from synctalk_k8s.render import render
from synctalk_local.topology import BACKING, SERVICES, WITH_DATABASE, limits_by_address

DEPLOY = Path(__file__).parents[1]
TOPOLOGY: dict[str, Any] = tomllib.loads((DEPLOY / "topology.toml").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text())["services"]
LOCATIONS = "".join((DEPLOY / "edge" / name).read_text() for name in ("nginx.conf.template", "upstreams.envsh"))
PORT = TOPOLOGY["container_port"]
OWN_SECRETS = ("redis_url", "limits_redis_url", "rabbitmq_url", "internal_secret")
LIMITED = list(TOPOLOGY["limits_by_address"])
UPSTREAM_VARIABLES = {
    "auth": "EDGE_AUTH",
    "api": "EDGE_API",
    "presence": "EDGE_PRESENCE",
    "notifier": "EDGE_NOTIFIER",
    "gateway": "EDGE_GATEWAYS",
}


@pytest.fixture(scope="module")
def kubernetes() -> dict[str, Workload]:
    return {workload.name: workload for workload in workloads(render(DEPLOY / "k8s/overlays/local"))}


def environment(workload: Workload) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in workload.containers[-1]["env"] if "value" in entry}


def upstream(target: str) -> str:
    """The service behind a `proxy_pass`."""
    name = target.removeprefix("http://").removesuffix("$request_uri")
    return {"$gateway": "gateway", "${EDGE_FCM}": "fcm"}.get(name, name)


def test_compose__runs_the_processes_that_stay() -> None:
    stay = {name for name, service in COMPOSE.items() if service["restart"] != "no"}

    assert stay == {"edge", *BACKING, *SERVICES}
    for name, service in SERVICES.items():
        assert COMPOSE[name]["deploy"].get("replicas", 1) == (service.count or 1)


def test_compose__migrates_what_has_a_database() -> None:
    assert {name for name in COMPOSE if name.endswith("-migrate")} == {f"{name}-migrate" for name in WITH_DATABASE}


def test_postgres__has_a_role_and_a_database_for_each() -> None:
    created = re.findall(r"\bsynctalk_(\w+?)_db_password", (DEPLOY / "postgres/init.sql").read_text())

    assert set(created) == set(WITH_DATABASE)


@pytest.mark.parametrize("service", ACCESS)
def test_service__has_its_own_accounts_and_knows_its_callers_alone(service: str) -> None:
    given = {secret["target"]: secret["source"] for secret in COMPOSE[service]["secrets"]}
    own = {f"synctalk_{name}": f"{service}_{name}" for name in OWN_SECRETS}
    callers = {f"synctalk_internal_secret_{name}": f"{name}_internal_secret" for name in callers_of(service)}
    others = {"synctalk_database_url", "synctalk_signing_key_passphrase"}

    assert {target: source for target, source in given.items() if target not in others} == own | callers
    found = re.search(rf"\$\(own {service}((?: \w+)*)\)", (DEPLOY / "k8s/prepare.sh").read_text())
    assert found is not None
    assert set(found[1].split()) == set(callers_of(service))


def test_compose__edge__reaches_every_upstream() -> None:
    given = COMPOSE["edge"]["environment"]

    assert {name: given[variable] for name, variable in UPSTREAM_VARIABLES.items()} == {
        name: f"{name}:{PORT}" for name in UPSTREAM_VARIABLES
    }
    assert (given["EDGE_GATEWAY"], given["EDGE_FCM"]) == (f"*:{PORT}", f"fcm:{PORT}")


def test_kubernetes__edge__reaches_every_upstream(kubernetes: dict[str, Workload]) -> None:
    given = environment(kubernetes["edge"])

    for name, variable in UPSTREAM_VARIABLES.items():
        assert given[variable] == f"{name}.synctalk.svc.cluster.local:{PORT}"
    assert given["EDGE_GATEWAY"] == f"*.gateways.synctalk.svc.cluster.local:{PORT}"


def test_kubernetes__runs_every_service_and_server_on_its_port(kubernetes: dict[str, Workload]) -> None:
    assert kubernetes.keys() >= {"edge", *SERVICES, *BACKING}
    for name in SERVICES:
        assert [port["containerPort"] for port in kubernetes[name].containers[-1]["ports"]] == [PORT], name


def test_edge__paths__go_to_their_upstreams_and_no_others_do() -> None:
    found = re.findall(r"location (?:\^~ |= )?(\S+) \{[^}]*?proxy_pass (\S+);", LOCATIONS)

    assert {path: upstream(target) for path, target in found} == TOPOLOGY["routes"]


@pytest.mark.parametrize("name", LIMITED)
def test_limits_by_address__in_containers__are_those_of_development(name: str) -> None:
    given: dict[str, str] = COMPOSE[name]["environment"]
    prefix = "" if name == "edge" else "SYNCTALK_"

    for limit, value in limits_by_address(name).items():
        assert given[prefix + limit] == f"${{SYNCTALK_{limit}:-{value}}}"


@pytest.mark.parametrize("name", LIMITED)
def test_limits_by_address__in_a_small_cluster__are_those_of_development(
    kubernetes: dict[str, Workload], name: str
) -> None:
    given = environment(kubernetes[name])
    prefix = "" if name == "edge" else "SYNCTALK_"

    assert {limit: given[prefix + limit] for limit in limits_by_address(name)} == limits_by_address(name)
