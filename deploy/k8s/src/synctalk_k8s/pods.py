"""Is every pod closed, bounded and probed (Pod Security "restricted", and what it leaves open)?"""

from collections.abc import Iterator
from typing import Any

from synctalk_k8s.manifests import Document, Workload, workloads

PROBES = {
    "service": {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"},
    "edge": {"startupProbe": "/", "livenessProbe": "/", "readinessProbe": "/"},
}
"""By component; backing parts answer in ways of their own, but answer they must."""

WRITES_INTO_ITS_IMAGE = {"rabbitmq"}
"""Its entry point writes the node's configuration beside its program."""


def problems(documents: list[Document]) -> list[str]:
    return [
        f"{workload}: {problem}"
        for workload in workloads(documents)
        for problem in (*_of_pod(workload), *(p for c in workload.containers for p in _of_container(c, workload)))
    ]


def _of_pod(workload: Workload) -> Iterator[str]:
    pod, context = workload.pod, workload.pod.get("securityContext", {})
    if pod.get("automountServiceAccountToken") is not False:
        yield "its pods get a token for the cluster"
    if pod.get("enableServiceLinks") is not False:
        yield "its pods get variables for every Service"
    if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
        yield "its pods may run as root"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "its pods have no seccomp profile"
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield f"its pods have {name}"
    if any("hostPath" in volume for volume in pod.get("volumes", [])):
        yield "its pods see the node's files"
    if "terminationGracePeriodSeconds" not in pod:
        yield "its pods have no time to end that is written down"


def _of_container(container: dict[str, Any], workload: Workload) -> Iterator[str]:
    name, context = container["name"], container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
        yield f"{name} may gain privileges"
    if context.get("capabilities", {}).get("drop") != ["ALL"] or context.get("capabilities", {}).get("add"):
        yield f"{name} has capabilities"
    if context.get("readOnlyRootFilesystem") is not True and name not in WRITES_INTO_ITS_IMAGE:
        yield f"{name} may write into its image"
    resources = container.get("resources", {})
    for kind in ("requests", "limits"):
        if resources.get(kind, {}).keys() < {"cpu", "memory"}:
            yield f"{name} has no {kind} for cpu and memory"
    if container in workload.pod["containers"]:
        yield from _probes(container, workload)
    for variable in container.get("env", []):
        if "valueFrom" not in variable and _names_a_secret(variable["name"]):
            yield f"{name} has the secret {variable['name']} in its manifest"


def _names_a_secret(variable: str) -> bool:
    words = ("PASSWORD", "SECRET", "PASSPHRASE", "_TOKEN", "DATABASE_URL", "REDIS_URL", "RABBITMQ_URL")
    return any(word in variable for word in words) and not variable.endswith("_FILE")


def _probes(container: dict[str, Any], workload: Workload) -> Iterator[str]:
    paths = PROBES.get(workload.labels.get("app.kubernetes.io/component", ""), {})
    ports = {port.get("name") for port in container.get("ports", [])}
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = container.get(kind)
        if probe is None:
            yield f"{container['name']} has no {kind}"
            continue
        http = probe.get("httpGet", {})
        if paths and http.get("path") != paths[kind]:
            yield f"the {kind} of {container['name']} asks {http.get('path')}, not {paths[kind]}"
        port = http.get("port") or probe.get("tcpSocket", {}).get("port")
        if port is not None and port not in ports:
            yield f"the {kind} of {container['name']} asks port {port}, which it has not"
