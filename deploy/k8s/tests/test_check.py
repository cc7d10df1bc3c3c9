"""The check passes on our manifests, and fails on each way in which they could be broken."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from synctalk_k8s.__main__ import check

HERE = Path(__file__).parents[1]
Broken = Callable[[str, str, str], list[str]]


@pytest.fixture
def broken(tmp_path: Path) -> Broken:
    """The problems found after one text in one file was replaced."""

    def replace(file: str, old: str, new: str) -> list[str]:
        for folder in ("base", "components", "overlays"):
            shutil.copytree(HERE / folder, tmp_path / folder)
        path = tmp_path / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}: the test looks for something that is gone"
        path.write_text(text.replace(old, new, 1))
        return check(tmp_path)

    return replace


def test_check__our_manifests__are_in_order() -> None:
    assert check(HERE) == []


def test_check__sockets_straight_to_the_gateways__are_in_order(broken: Broken) -> None:
    added = "components: [../../components/direct-sockets]\nimages:\n"

    assert broken("overlays/prod/kustomization.yaml", "images:\n", added) == []


def test_command__broken_manifests__ends_with_one_and_says_what(tmp_path: Path) -> None:
    shutil.copytree(HERE / "base", tmp_path / "base")
    (tmp_path / "overlays/local").mkdir(parents=True)
    (tmp_path / "overlays/local/kustomization.yaml").write_text("resources: [../../base, nothing.yaml]\n")

    ran = subprocess.run(
        [sys.executable, "-m", "synctalk_k8s", str(tmp_path)], check=False, capture_output=True, text=True
    )

    assert ran.returncode == 1
    assert "it cannot be rendered" in ran.stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        # documents
        ("base/auth.yaml", "replicas", "replicaz", ""),
        ("base/auth.yaml", "kind: Deployment", "kind: Deploymint", "no such kind"),
        ("base/auth.yaml", "  maxUnavailable: 1\n", "  maxUnavailabel: 1\n", "maxUnavailabel"),
        ("base/api.yaml", "containerPort: 8000", 'containerPort: "8000"', "is not"),
        ("base/api.yaml", "periodSeconds: 10", "periodSeconds: soon", "soon"),
        ("base/api.yaml", "kind: Service\n", "kind: Service\nport: 1\n", "port"),
        ("overlays/prod/route.yaml", "PathPrefix", "Prefix", "Prefix"),
        ("base/api.yaml", "      containers:\n", "\t containers:\n", "cannot be rendered"),
        ("overlays/prod/kustomization.yaml", "images:", "imagez:", "imagez is not supported"),
        ("overlays/prod/kustomization.yaml", "NetworkPolicy, name: edge }", "NetworkPolicy, name: edgy }",
         "no NetworkPolicy edgy to patch"),
        ("base/kustomization.yaml", "  - auth.yaml\n", "  - auth.yaml\n  - auth.yaml\n", "is there twice"),
        # references
        ("base/kustomization.yaml", "  - presence.yaml\n", "", "there is no presence"),
        ("base/auth.yaml", "secretName: synctalk-auth", "secretName: synctalk-atuh", "Secret synctalk-atuh"),
        ("base/auth.yaml", "configMapRef: { name: settings }", "configMapRef: { name: setings }", "ConfigMap setings"),
        ("base/auth.yaml", "serviceAccountName: auth", "serviceAccountName: auht", "ServiceAccount auht"),
        ("base/auth.yaml", "name: tmp, mountPath", "name: temp, mountPath", "mounts temp"),
        ("base/auth.yaml", "targetPort: http", "targetPort: web", "sends to port web"),
        ("base/auth.yaml", "selector: { app.kubernetes.io/name: auth }", "selector: { app.kubernetes.io/name: x }",
         "Service auth selects no pods"),
        ("base/auth.yaml", "selector: { matchLabels: { app.kubernetes.io/name: auth } }\n  strategy",
         "selector: { matchLabels: { app.kubernetes.io/name: x } }\n  strategy", "does not select its own pods"),
        ("base/auth.yaml", "kind: Deployment, name: auth }", "kind: Deployment, name: ath }", "scales Deployment ath"),
        ("base/auth.yaml", "  # How many: the autoscaler below.\n", "  replicas: 3\n", "its autoscaler does too"),
        ("base/gateway.yaml", "serviceName: gateways", "serviceName: gatewayz", "Service gatewayz"),
        ("base/auth.yaml", "- podSelector: { matchLabels: { app.kubernetes.io/name: gateway } }",
         "- podSelector: { matchLabels: { app.kubernetes.io/name: gatewya } }", "which no pods have"),
        ("base/network.yaml", "  podSelector: {}\n  policyTypes: [Ingress, Egress]",
         "  podSelector: {}\n  policyTypes: [Ingress]", "does not deny everything"),
        ("overlays/prod/route.yaml", "port: 80", "port: 8080", "edge:8080"),
        ("overlays/local/kustomization.yaml", "namespace: synctalk", "namespace: other", "is in no namespace of ours"),
        # pods
        ("base/presence.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "may run as root"),
        ("base/presence.yaml", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "gain privileges"),
        ("base/presence.yaml", "drop: [ALL]", "drop: [NET_RAW]", "has capabilities"),
        ("base/presence.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "write into its image"),
        ("base/presence.yaml", "type: RuntimeDefault", "type: Unconfined", "no seccomp profile"),
        ("base/presence.yaml", "      automountServiceAccountToken: false\n", "", "token for the cluster"),
        ("base/presence.yaml", "          readinessProbe:", "          livenessProbe:", ""),
        ("base/presence.yaml", "path: /readyz", "path: /healthz", "not /readyz"),
        ("base/presence.yaml", "          livenessProbe:\n            httpGet: { path: /healthz",
         "          livenessProbe:\n            httpGet: { path: /readyz", "not /healthz"),
        ("base/presence.yaml", "httpGet: { path: /healthz, port: http }", "httpGet: { path: /healthz, port: web }",
         "asks port web"),
        ("base/presence.yaml", 'limits: { cpu: "1", memory: 384Mi }', 'limits: { cpu: "1" }', "no limits"),
        ("components/backing/redis.yaml", "          readinessProbe:", "          startupProbe:", ""),
        # settings
        ("base/settings.yaml", "SYNCTALK_LOG_LEVEL", "SYNCTALK_LOG_LEVLE", "unknown setting SYNCTALK_LOG_LEVLE"),
        ("base/settings.yaml", "LOG_LEVEL: info", "LOG_LEVEL: loud", "SYNCTALK_LOG_LEVEL"),
        ("base/settings.yaml", "http://api:8000", "http://api:8080", "leads to api:8080"),
        ("base/settings.yaml", "ENVIRONMENT: production", "ENVIRONMENT: development", "not production"),
        ("base/settings.yaml", "  SYNCTALK_ENVIRONMENT: production\n", "", "takes nothing for its environment"),
        ("base/settings.yaml", "http://auth:8000", "http://auht:8000", "leads to auht:8000"),
        ("base/gateway.yaml", 'SYNCTALK_DRAIN_S, value: "30"', 'SYNCTALK_DRAIN_S, value: "90"', "may take"),
        ("base/gateway.yaml", "SYNCTALK_DRAIN_S", "SYNCTALK_DRIAN_S", "SYNCTALK_DRIAN_S"),
        ("base/gateway.yaml", "terminationGracePeriodSeconds: 75", "terminationGracePeriodSeconds: 30", "may take"),
        ("base/auth.yaml", "preStop: { sleep: { seconds: 5 } }", "preStop: { sleep: { seconds: 1 } }", "no preStop"),
        ("base/auth.yaml", "timeoutSeconds: 2\n            failureThreshold: 2",
         "timeoutSeconds: 1\n            failureThreshold: 2", "gives up after 1 s"),
        ("base/auth.yaml", "containerPort: 8000", "containerPort: 9000", "the image listens on 8000"),
        ("base/auth.yaml", "image: synctalk-auth\n          args", "image: synctalk-api\n          args", "of another"),
        ("base/auth.yaml", "image: synctalk-auth\n          ports", "image: synctalk-atuh\n          ports",
         "nothing builds"),
        ("base/auth.yaml", "mountPath: /run/secrets", "mountPath: /run/secretz", "does not see its secrets"),
        ("base/auth.yaml", "            - name: SYNCTALK_INSTANCE\n",
         "            - { name: SYNCTALK_INTERNAL_SECRET, value: in-the-open-for-all-to-see }\n"
         "            - name: SYNCTALK_INSTANCE\n", "in its manifest"),
        ("overlays/prod/kustomization.yaml", "newTag: 0.1.0", "newTag: latest", "which one is not said"),
        ("overlays/prod/kustomization.yaml", "example.com\"]", "example.com\"", "ALLOWED_ORIGINS"),
        ("overlays/prod/kustomization.yaml", "www.example.com\"", "www.example.com/\"", "ALLOWED_ORIGINS"),
        ("overlays/aws/secrets.yaml", "key: synctalk/auth", "keey: synctalk/auth", "keey"),
        ("overlays/aws/secrets.yaml", "target: { name: synctalk-api }", "target: { name: synctalk-ap }",
         "which no ExternalSecret makes"),
        ("overlays/aws/secrets.yaml", "SecretStore, name: api }", "SecretStore, name: apy }", "SecretStore apy"),
        ("overlays/aws/secrets.yaml", "serviceAccountRef: { name: auth }", "serviceAccountRef: { name: auht }",
         "ServiceAccount auht"),
        ("overlays/aws/kustomization.yaml", "SYNCTALK_REDIS_CLUSTER", "SYNCTALK_REDIS_CLUSTR", "SYNCTALK_REDIS_CLUSTR"),
        ("overlays/aws/kustomization.yaml", '"true"', '"perhaps"', "SYNCTALK_REDIS_CLUSTER"),
        # the edge
        ("base/edge.yaml", "*.gateways.", "*.gateway.", "no name of a pod"),
        ("base/edge.yaml", "*.gateways.", "*.gatewayz.", "leads to gateway-0.gatewayz"),
        ("base/gateway.yaml", "  publishNotReadyAddresses: true\n", "", "no name of a pod"),
        ("base/edge.yaml", "name: EDGE_GATEWAY,", "name: EDGE_GATEWAX,", "not given EDGE_GATEWAY"),
        ("base/edge.yaml", "api.synctalk.svc.cluster.local:8000", "api:8000", "no full name"),
        ("base/edge.yaml", "name: EDGE_API", "name: EDGE_APY", "EDGE_APY"),
        ("overlays/prod/kustomization.yaml", "10.20.0.0/28", "10.0.0.0/8", "more than a gateway's own range"),
        ("overlays/prod/kustomization.yaml", "10.20.0.0/28", "10.20.0.1/28", "no range of addresses"),
        ("overlays/prod/kustomization.yaml", "10.20.0.0/28", '""', "share its limits"),
        ("overlays/local/kustomization.yaml", "EDGE_AUTH_PER_S", "EDGE_AUTH_PER_SECOND", "EDGE_AUTH_PER_SECOND"),
    ],
    ids=lambda value: str(value).strip()[:40],
)  # fmt: skip
def test_check__a_broken_manifest__is_seen(broken: Broken, file: str, old: str, new: str, problem: str) -> None:
    if (file, old) == ("base/auth.yaml", "replicas"):
        old, new, problem = "minReplicas", "minReplicaz", "minReplicaz"

    found = broken(file, old, new)

    assert found
    assert any(problem in text for text in found), found
