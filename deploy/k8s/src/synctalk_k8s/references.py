"""Does everything that is named exist, and does every selector choose something?"""

from collections.abc import Iterator
from typing import Any

from synctalk_k8s.manifests import Document, Workload, matches, of_kind, workloads

FROM_OUTSIDE = {
    "Secret": {
        "synctalk-auth",
        "synctalk-api",
        "synctalk-gateway",
        "synctalk-presence",
        "synctalk-notifier",
        "synctalk-firebase",
        "synctalk-postgres",
        "synctalk-redis",
        "synctalk-rabbitmq",
    },
    "ConfigMap": {"postgres-init", "rds-ca"},
}
"""Made by the installation, never committed: see README.md."""


def problems(documents: list[Document]) -> list[str]:
    everything = list(workloads(documents))
    return [
        *_namespaces(documents),
        *(problem for workload in everything for problem in _of_pod(workload, documents)),
        *_selectors(documents, everything),
        *_services(documents, everything),
        *_scalers(documents, everything),
        *_policies(documents, everything),
        *_routes(documents),
        *_external_secrets(documents),
    ]


def _namespaces(documents: list[Document]) -> Iterator[str]:
    names = set(of_kind(documents, "Namespace"))
    for document in documents:
        if document["kind"] != "Namespace" and document["metadata"].get("namespace") not in names:
            yield f"{document['kind']} {document['metadata']['name']} is in no namespace of ours"


def _of_pod(workload: Workload, documents: list[Document]) -> Iterator[str]:
    wanted: list[tuple[str, str]] = [("ServiceAccount", workload.pod.get("serviceAccountName", "default"))]
    for volume in workload.pod.get("volumes", []):
        if "secret" in volume:
            wanted.append(("Secret", volume["secret"]["secretName"]))
        if "configMap" in volume:
            wanted.append(("ConfigMap", volume["configMap"]["name"]))
    for container in workload.containers:
        for source in container.get("envFrom", []):
            wanted += [("ConfigMap", source["configMapRef"]["name"])] if "configMapRef" in source else []
            wanted += [("Secret", source["secretRef"]["name"])] if "secretRef" in source else []
        for variable in container.get("env", []):
            source = variable.get("valueFrom", {})
            wanted += [("ConfigMap", source["configMapKeyRef"]["name"])] if "configMapKeyRef" in source else []
            wanted += [("Secret", source["secretKeyRef"]["name"])] if "secretKeyRef" in source else []
    for kind, name in wanted:
        if name not in of_kind(documents, kind) and name not in FROM_OUTSIDE.get(kind, set()):
            yield f"{workload} names {kind} {name}, which does not exist"
    volumes = {volume["name"] for volume in workload.pod.get("volumes", [])} | {
        claim["metadata"]["name"] for claim in workload.spec.get("volumeClaimTemplates", [])
    }
    for container in workload.containers:
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in volumes:
                yield f"{workload} mounts {mount['name']}, which is no volume of it"


def _selectors(documents: list[Document], everything: list[Workload]) -> Iterator[str]:
    for workload in everything:
        selector = workload.spec.get("selector", {}).get("matchLabels", {})
        if workload.kind != "Job" and not matches(selector, workload.labels):
            yield f"{workload} does not select its own pods"
        if workload.kind == "StatefulSet" and workload.spec["serviceName"] not in of_kind(documents, "Service"):
            yield f"{workload} names Service {workload.spec['serviceName']}, which does not exist"
    for name, budget in of_kind(documents, "PodDisruptionBudget").items():
        if not any(matches(budget["spec"]["selector"]["matchLabels"], w.labels) for w in everything):
            yield f"PodDisruptionBudget {name} selects no pods"


def _services(documents: list[Document], everything: list[Workload]) -> Iterator[str]:
    for name, service in of_kind(documents, "Service").items():
        selected = [w for w in everything if matches(service["spec"].get("selector", {}), w.labels)]
        if not selected:
            yield f"Service {name} selects no pods"
        for port in service["spec"]["ports"]:
            for workload in selected:
                if port.get("targetPort", port["port"]) not in _ports(workload):
                    yield f"Service {name} sends to port {port.get('targetPort')}, which {workload} has not"


def _ports(workload: Workload) -> set[str | int]:
    ports = [port for container in workload.containers for port in container.get("ports", [])]
    return {port["containerPort"] for port in ports} | {port["name"] for port in ports if "name" in port}


def _scalers(documents: list[Document], everything: list[Workload]) -> Iterator[str]:
    scaled = {}
    for name, scaler in of_kind(documents, "HorizontalPodAutoscaler").items():
        target = scaler["spec"]["scaleTargetRef"]
        found = [w for w in everything if (w.kind, w.name) == (target["kind"], target["name"])]
        if not found:
            yield f"HorizontalPodAutoscaler {name} scales {target['kind']} {target['name']}, which does not exist"
        for workload in found:
            scaled[workload.name] = scaler
            if "replicas" in workload.spec:
                yield f"{workload} says how many it is, and its autoscaler does too: each apply would undo the other"
    for workload in everything:
        backing = workload.labels.get("app.kubernetes.io/component") == "backing"
        if workload.kind in ("Deployment", "StatefulSet") and not backing:
            if workload.name not in scaled:
                yield f"{workload} has no autoscaler"
            if workload.name not in of_kind(documents, "PodDisruptionBudget"):
                yield f"{workload} has no disruption budget"


def _policies(documents: list[Document], everything: list[Workload]) -> Iterator[str]:
    policies = of_kind(documents, "NetworkPolicy")
    deny = policies.get("default-deny", {}).get("spec", {})
    if deny != {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}:
        yield "NetworkPolicy default-deny does not deny everything"
    for name, policy in policies.items():
        chosen = policy["spec"]["podSelector"].get("matchLabels", {})
        if not any(matches(chosen, w.labels) for w in everything):
            yield f"NetworkPolicy {name} is for no pods"
        for direction, side in (("ingress", "from"), ("egress", "to")):
            for rule in policy["spec"].get(direction, []):
                yield from _peers(name, rule.get(side, []), everything)
    for workload in everything:
        if not _has_policy(workload, policies, "Ingress"):
            yield f"nobody may reach {workload}"


def _peers(policy: str, peers: list[dict[str, Any]], everything: list[Workload]) -> Iterator[str]:
    for peer in peers:
        labels = peer.get("podSelector", {}).get("matchLabels", {})
        if "namespaceSelector" not in peer and labels and not any(matches(labels, w.labels) for w in everything):
            yield f"NetworkPolicy {policy} names {labels}, which no pods have"


def _has_policy(workload: Workload, policies: dict[str, Document], direction: str) -> bool:
    return any(
        direction in policy["spec"]["policyTypes"]
        and policy["spec"].get(direction.lower())
        and matches(policy["spec"]["podSelector"].get("matchLabels", {}), workload.labels)
        for policy in policies.values()
    )


def _routes(documents: list[Document]) -> Iterator[str]:
    services = of_kind(documents, "Service")
    for name, route in of_kind(documents, "HTTPRoute").items():
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                ports = {port["port"] for port in services.get(backend["name"], {}).get("spec", {}).get("ports", [])}
                if backend["port"] not in ports:
                    yield f"HTTPRoute {name} sends to {backend['name']}:{backend['port']}, which does not exist"


def _external_secrets(documents: list[Document]) -> Iterator[str]:
    """Each names a store of ours, and a store a service's own account; whoever has any has all that pods mount."""
    stores, accounts = of_kind(documents, "SecretStore"), of_kind(documents, "ServiceAccount")
    found = of_kind(documents, "ExternalSecret")
    made = {external["spec"]["target"]["name"] for external in found.values()}
    for name, external in found.items():
        if (store := external["spec"]["secretStoreRef"]["name"]) not in stores:
            yield f"ExternalSecret {name} names SecretStore {store}, which does not exist"
    for name, store in stores.items():
        account = store["spec"]["provider"]["aws"]["auth"]["jwt"]["serviceAccountRef"]["name"]
        if account not in accounts:
            yield f"SecretStore {name} names ServiceAccount {account}, which does not exist"
    for workload in workloads(documents) if found else ():
        for volume in workload.pod.get("volumes", []):
            if "secret" in volume and volume["secret"]["secretName"] not in made:
                yield f"{workload} mounts Secret {volume['secret']['secretName']}, which no ExternalSecret makes"
