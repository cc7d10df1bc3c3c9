"""Do the services understand what they are given: names, values, addresses, times to end, images?

Each service's own `Settings` are the judge: they are built from what its pod would see.
"""

import importlib
import json
import re
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError
from synctalk_runtime.health import CHECK_TIMEOUT_S

from synctalk_k8s.manifests import Document, Workload, of_kind, workloads

ROOT = Path(__file__).resolve().parents[4]
SERVICES = ("auth", "api", "gateway", "presence", "notifier")
IMAGES = {f"synctalk-{name}" for name in (*SERVICES, "edge", "fcm")}
BACKING_IMAGES = {"postgres", "redis", "rabbitmq"}

PREFIX = "SYNCTALK_"
EXAMPLES = {
    "SYNCTALK_DATABASE_URL": "postgresql://role:password@database:5432/database?sslmode=verify-full",
    "SYNCTALK_REDIS_URL": "rediss://:password@redis:6379/0",
    "SYNCTALK_RABBITMQ_URL": "amqps://account:password@rabbitmq:5671/",
    "SYNCTALK_INTERNAL_SECRET": "an example of a secret that is long enough",
    "SYNCTALK_SIGNING_KEY_PASSPHRASE": "an example of a secret that is long enough",
}
"""What a service's secret holds, by the names of the settings."""

BUCKETS = ("s3://", "gs://", "az://")
"""Addresses that lead out of the cluster."""

FROM_THE_POD = {"metadata.name": "pod-0"}


def problems(documents: list[Document], *, production: bool) -> list[str]:
    found = [problem for workload in workloads(documents) for problem in _images(workload, production=production)]
    for workload in workloads(documents):
        if workload.name in SERVICES:
            found += [f"{workload}: {problem}" for problem in _of_service(workload, documents)]
            found += [f"{workload}: {problem}" for problem in _environment(workload, documents) if production]
        elif workload.name == "edge":
            found += [f"{workload}: {problem}" for problem in _of_edge(workload, documents, production=production)]
    known = {name for service in SERVICES for name in _names_in(_settings_of(service))}
    found += [f"ConfigMap settings: unknown setting {name}" for name in _shared(documents).keys() - known]
    missing = set(SERVICES) | {"edge"}
    missing -= {workload.name for workload in workloads(documents)}
    return found + [f"there is no {name}" for name in sorted(missing)]


def _images(workload: Workload, *, production: bool) -> Iterator[str]:
    for container in workload.containers:
        repository, _, tag = container["image"].partition(":")
        name = repository.split("/")[-1]
        ours = repository in IMAGES or f"synctalk-{name}" in IMAGES
        if not ours and repository not in BACKING_IMAGES:
            yield f"{workload} runs {container['image']}, which nothing builds"
        if ours and f"synctalk-{workload.name}" not in (repository, f"synctalk-{name}"):
            yield f"{workload} runs the image of another: {container['image']}"
        if not tag or tag == "latest" or (production and not re.match(r"\d", tag)):
            yield f"{workload} runs {container['image']}: which one is not said"


def _of_service(workload: Workload, documents: list[Document]) -> Iterator[str]:
    settings_class = _settings_of(workload.name)
    known = _names_in(settings_class)
    shared = _shared(documents)
    for container in workload.containers:
        given = _given(container, documents)
        for name in given.keys() - known - shared.keys():
            yield f"{container['name']} is given {name}, which is no setting of it"
        yield from _built(settings_class, given, known, container["name"])
        yield from _addresses(given, documents, container["name"])
    yield from _ending(workload, settings_class, documents)
    yield from _patience(workload)
    yield from _port(workload)
    secrets = {v["secret"]["secretName"] for v in workload.pod.get("volumes", []) if "secret" in v}
    if f"synctalk-{workload.name}" not in secrets:
        yield "its secrets are not mounted"
    for container in workload.containers:
        if "/run/secrets" not in {mount["mountPath"] for mount in container.get("volumeMounts", [])}:
            yield f"{container['name']} does not see its secrets"


def _environment(workload: Workload, documents: list[Document]) -> Iterator[str]:
    for container in workload.containers:
        environment = _given(container, documents).get(f"{PREFIX}ENVIRONMENT")
        if environment != "production":
            yield f"{container['name']} takes {environment or 'nothing'} for its environment, not production"


def _settings_of(service: str) -> Any:
    return importlib.import_module(f"synctalk_{service}.settings").Settings


def _names_in(settings_class: Any) -> set[str]:
    return {f"{PREFIX}{name}".upper() for name in settings_class.model_fields}


def _shared(documents: list[Document]) -> dict[str, str]:
    settings = of_kind(documents, "ConfigMap").get("settings", {})
    return dict(settings.get("data", {}))


def _given(container: dict[str, Any], documents: list[Document]) -> dict[str, str]:
    """The `SYNCTALK_…` variables as the container sees them."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= of_kind(documents, "ConfigMap").get(source["configMapRef"]["name"], {}).get("data", {})
    for variable in container.get("env", []):
        field = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        found[variable["name"]] = FROM_THE_POD.get(field, "") if field else variable.get("value", "")
    return {name: value for name, value in found.items() if name.startswith(PREFIX)}


def _built(settings_class: Any, given: dict[str, str], known: set[str], container: str) -> Iterator[str]:
    """The settings as they would be read at the start; files that only the pod has are not looked into."""
    values = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in (EXAMPLES | given).items()
        if name in known and not name.endswith("_FILE")
    }
    try:
        settings_class.model_validate(_decoded(settings_class, values))
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            name = "_".join(map(str, problem["loc"])).upper()
            yield f"{container}: {PREFIX}{name}: {problem['msg']}"


def _decoded(settings_class: Any, values: dict[str, str]) -> dict[str, Any]:
    """Lists come as JSON in variables."""
    return {
        name: _json(value) if "list" in str(settings_class.model_fields[name].annotation) else value
        for name, value in values.items()
    }


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value  # which the settings then refuse


def _addresses(given: dict[str, str], documents: list[Document], container: str) -> Iterator[str]:
    for name, value in given.items():
        if name.endswith("_URL") and not value.startswith(BUCKETS):
            yield from (f"{container}: {name} leads to {p}" for p in _nowhere(urlsplit(value).netloc, documents))


def _nowhere(address: str, documents: list[Document]) -> Iterator[str]:
    """The `host:port`, unless it is that of a Service of ours, or of one of a Service's pods."""
    host, _, port = address.partition(":")
    services = of_kind(documents, "Service")
    parts = host.split(".")
    is_pod = len(parts) > 1 and parts[1] in services
    service = services.get(parts[1] if is_pod else parts[0])
    if service is None or int(port or 80) not in {p["port"] for p in service["spec"]["ports"]}:
        yield f"{address}, which does not exist"


def _ending(workload: Workload, settings_class: Any, documents: list[Document]) -> Iterator[str]:
    """preStop, then (the gateway's) drain, then open requests, then consumers and pools."""
    container = workload.pod["containers"][0]
    sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    if sleep < 5:
        yield "it has no preStop sleep of 5 s: whoever still comes finds it closed"
    given = _given(container, documents)
    needed = float(sleep) + CONSUMERS_S
    for field in ("drain_s", "shutdown_timeout_s"):
        if field in settings_class.model_fields:
            needed += float(given.get(f"{PREFIX}{field.upper()}", settings_class.model_fields[field].default))
    if workload.pod["terminationGracePeriodSeconds"] <= needed:
        yield f"it is killed after {workload.pod['terminationGracePeriodSeconds']} s, but may take {needed:g} s to end"


def _patience(workload: Workload) -> Iterator[str]:
    """A part that hangs is for `/readyz` to report; a probe that gives up first would make every pod not ready."""
    seconds = workload.pod["containers"][0].get("readinessProbe", {}).get("timeoutSeconds", 1)
    if seconds <= CHECK_TIMEOUT_S:
        yield f"its readinessProbe gives up after {seconds} s, but its checks may take {CHECK_TIMEOUT_S:g} s"


CONSUMERS_S = 10
"""How long the bus's last batches and the pools take at most."""


def _port(workload: Workload) -> Iterator[str]:
    dockerfile = (ROOT / "deploy/docker/service.Dockerfile").read_text()
    listens = re.search(r"SYNCTALK_HTTP_PORT=(\d+)", dockerfile)
    ports = [port["containerPort"] for port in workload.pod["containers"][0].get("ports", [])]
    if listens is None or ports != [int(listens[1])]:
        yield f"its port is {ports}, but the image listens on {listens and listens[1]}"


def _of_edge(workload: Workload, documents: list[Document], *, production: bool) -> Iterator[str]:
    script = (ROOT / "deploy/edge/upstreams.envsh").read_text() + (ROOT / "deploy/edge/Dockerfile").read_text()
    variables = {v["name"]: v.get("value", "") for v in workload.pod["containers"][0].get("env", [])}
    for name in variables:
        if name not in script:
            yield f"it is given {name}, which it does not know"
    for name in (*UPSTREAMS, "EDGE_GATEWAY"):
        if not variables.get(name):
            yield f"it is not given {name}"
    yield from _proxies(variables, production=production)
    one = variables.get("EDGE_GATEWAY", "").replace("*", "gateway-0")
    for address in filter(None, [*(variables.get(name, "") for name in (*UPSTREAMS, "EDGE_FCM")), one]):
        yield from (f"it leads to {problem}" for problem in _nowhere(address, documents))
        if ".svc.cluster.local:" not in address:
            yield f"{address} is no full name: nginx knows no search list"
    if one and not _is_pod(one, documents):
        yield f"the sessions of gateway-0 are sent to {one}, which is no name of a pod that may be draining"


UPSTREAMS = ("EDGE_AUTH", "EDGE_API", "EDGE_PRESENCE", "EDGE_NOTIFIER", "EDGE_GATEWAYS")


def _is_pod(address: str, documents: list[Document]) -> bool:
    """Return whether a pod has this name, ready or not: by the Service that its StatefulSet names."""
    pod, _, rest = address.partition(".")
    gateway = of_kind(documents, "StatefulSet").get(pod.rpartition("-")[0], {"spec": {}})["spec"].get("serviceName")
    service = of_kind(documents, "Service").get(rest.partition(".")[0], {"metadata": {"name": ""}, "spec": {}})
    return service["metadata"]["name"] == gateway and bool(service["spec"].get("publishNotReadyAddresses"))


TRUSTED_ADDRESSES = 256
"""At most in one range: whoever connects from it may name any client's address."""


def _proxies(variables: dict[str, str], *, production: bool) -> Iterator[str]:
    ranges = variables.get("EDGE_TRUSTED_PROXIES", "").split()
    if production and not ranges:
        yield "it is not given EDGE_TRUSTED_PROXIES: all clients would have one address, and share its limits"
    for text in ranges:
        try:
            if ip_network(text).num_addresses > TRUSTED_ADDRESSES:
                yield f"it trusts {text}, which is more than a gateway's own range"
        except ValueError:
            yield f"it trusts {text}, which is no range of addresses"
