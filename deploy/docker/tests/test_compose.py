"""What docker-compose.yml promises, whatever is added to it: one published port, closed containers, secret files."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
ONCE = {name for name, service in SERVICES.items() if service.get("restart") == "no"}
FACES = {"edge", "auth", "api", "gateway", "presence", "notifier", "fcm"}
BACKING = {"postgres", "redis", "rabbitmq"}
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("synctalk-")}


def test_services__are_those_of_make_ps() -> None:
    assert SERVICES.keys() - ONCE == FACES | BACKING


def test_ports__but_the_edges__are_not_published() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"edge"}


def test_networks__with_a_way_out__have_the_edge_only() -> None:
    outside = {name for name, network in COMPOSE["networks"].items() if not (network or {}).get("internal")}

    assert outside == {"outside"}
    assert {name for name, service in SERVICES.items() if outside & set(service.get("networks", []))} == {"edge"}
    assert "data" not in SERVICES["edge"]["networks"]


@pytest.mark.parametrize("name", SERVICES)
def test_container__is_closed_and_bounded(name: str) -> None:
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "pid", "ipc", "devices"} & service.keys()
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service.get("read_only") or name == "rabbitmq"  # whose entry point writes beside its program
    assert name in OURS or service["user"] != "root"


@pytest.mark.parametrize("name", sorted(FACES | BACKING))
def test_container__that_stays__is_watched_and_comes_back(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["stop_grace_period"]


@pytest.mark.parametrize("name", ["auth", "api", "presence", "notifier"])
def test_service__with_tables__waits_for_its_migrations(name: str) -> None:
    assert SERVICES[name]["depends_on"][f"{name}-migrate"]["condition"] == "service_completed_successfully"
    assert SERVICES[f"{name}-migrate"]["command"] == ["migrate"]
    assert SERVICES[f"{name}-migrate"]["image"] == SERVICES[name]["image"]


def test_images__each_of_ours__has_one_builder() -> None:
    builders = [service["image"] for name, service in SERVICES.items() if "build" in service]

    assert sorted(builders) == sorted({SERVICES[name]["image"] for name in OURS})


def test_secrets__are_files_and_never_variables() -> None:
    for name, service in SERVICES.items():
        for variable in service.get("environment", {}):
            assert not re.search(r"PASSWORD$|SECRET|PASSPHRASE|(DATABASE|REDIS|RABBITMQ)_URL", variable), (
                name,
                variable,
            )
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("${SYNCTALK_SECRETS:-./deploy/docker/secrets}/")


def test_secrets__of_a_database__are_seen_by_its_service_only() -> None:
    for name, service in SERVICES.items():
        sources = {secret["source"] for secret in service.get("secrets", []) if isinstance(secret, dict)}
        databases = {source for source in sources if source.endswith("_database_url")}
        assert databases <= {f"{name.split('-')[0]}_database_url"}, name


def test_gateways__are_found_by_their_host_names() -> None:
    """A session's id begins with its container's host name, which is its id unless something here says otherwise."""
    assert SERVICES["edge"]["environment"]["EDGE_GATEWAY"] == "*:8000"
    assert "hostname" not in SERVICES["gateway"]
    assert "SYNCTALK_GATEWAY_NAME" not in SERVICES["gateway"]["environment"]
