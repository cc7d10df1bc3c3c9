"""Looking things up in rendered documents."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
WORKLOADS = ("Deployment", "StatefulSet", "Job", "DaemonSet")


@dataclass(frozen=True)
class Workload:
    kind: str
    name: str
    labels: dict[str, str]
    """Those of its pods."""
    pod: Document
    spec: Document

    @property
    def containers(self) -> list[Document]:
        """Also those that run before."""
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def workloads(documents: list[Document]) -> Iterator[Workload]:
    for document in documents:
        if document["kind"] in WORKLOADS:
            template = document["spec"]["template"]
            yield Workload(
                document["kind"],
                document["metadata"]["name"],
                template["metadata"].get("labels", {}),
                template["spec"],
                document["spec"],
            )


def of_kind(documents: list[Document], kind: str) -> dict[str, Document]:
    return {document["metadata"]["name"]: document for document in documents if document["kind"] == kind}


def matches(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()
