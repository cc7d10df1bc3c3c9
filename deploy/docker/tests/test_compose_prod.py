"""What compose.prod.yml makes of docker-compose.yml: nothing of development is left.

Merged here as `docker compose config` does it, as far as these files need it: maps by key, `!reset` and `!override`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Override:
    value: Any


class Loader(yaml.SafeLoader):
    """Knows the two tags of Compose."""


def _override(loader: yaml.SafeLoader, node: yaml.MappingNode) -> Override:
    return Override(loader.construct_mapping(node))


RESET = object()
Loader.add_constructor("!reset", lambda *_: RESET)
Loader.add_constructor("!override", _override)


def merged(below: Any, above: Any) -> Any:
    if isinstance(above, Override):
        return above.value
    if not isinstance(below, dict) or not isinstance(above, dict):
        assert not isinstance(below, list), "two lists: Compose joins them"
        return above
    found = below | {name: merged(below.get(name, {}), value) for name, value in above.items() if value is not RESET}
    return {name: value for name, value in found.items() if above.get(name) is not RESET}


def loaded(path: str) -> Any:
    return yaml.load((ROOT / path).read_text(), Loader)  # noqa: S506 - a safe loader with two tags more


DEVELOPMENT = loaded("docker-compose.yml")
PRODUCTION = merged(DEVELOPMENT, loaded("deploy/docker/compose.prod.yml"))
SERVICES = {name: service for name, service in PRODUCTION["services"].items() if "profiles" not in service}
EDGE = SERVICES["edge"]["environment"]


def test_edge__in_both__listens_to_this_machine_only() -> None:
    for services in (DEVELOPMENT["services"], SERVICES):
        assert services["edge"]["ports"] == ["${SYNCTALK_BIND:-127.0.0.1}:${SYNCTALK_PORT:-8080}:8080"]


def test_push_stand_in__is_not_started_and_nothing_waits_for_it() -> None:
    assert DEVELOPMENT["services"].keys() - SERVICES.keys() == {"fcm", "fcm-credentials"}
    for service in SERVICES.values():
        assert not {"fcm", "fcm-credentials"} & service.get("depends_on", {}).keys()
        assert not any("fcm" in str(value) for value in service.get("environment", {}).values())
        assert not any("fcm" in volume for volume in service.get("volumes", []))
    assert "EDGE_FCM" not in EDGE


def test_limits__by_address__are_those_of_the_images() -> None:
    assert {name for name in DEVELOPMENT["services"]["edge"]["environment"] if "_PER_" in name}
    for name, service in SERVICES.items():
        limits = ("_PER_S", "_BURST", "_PER_ADDRESS")
        assert not [limit for limit in service.get("environment", {}) if limit.endswith(limits)], name


def test_edge__knows_the_same_servers() -> None:
    before = DEVELOPMENT["services"]["edge"]["environment"]

    servers = ("EDGE_AUTH", "EDGE_API", "EDGE_PRESENCE", "EDGE_NOTIFIER", "EDGE_GATEWAYS", "EDGE_GATEWAY")
    assert {name: EDGE[name] for name in servers} == {name: before[name] for name in servers}


def test_edge__believes_the_bridge_and_nobody_else() -> None:
    (network,) = PRODUCTION["networks"]["outside"]["ipam"]["config"]

    assert EDGE["EDGE_TRUSTED_PROXIES"] == f"${{SYNCTALK_EDGE_TRUSTED_PROXIES:-{network['gateway']}}}"
    assert "max-age" in EDGE["EDGE_HSTS"]


def test_environment__of_every_service_and_migration__is_said() -> None:
    ours = {f"synctalk-{name}" for name in ("auth", "api", "gateway", "presence", "notifier")}
    for services, environment in ((DEVELOPMENT["services"], "development"), (SERVICES, "production")):
        said = {
            name: service.get("environment", {}).get("SYNCTALK_ENVIRONMENT")
            for name, service in services.items()
            if service["image"] in ours
        }
        assert len(said) == 9
        assert set(said.values()) == {environment}, said
