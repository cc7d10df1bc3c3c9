"""The part of kustomize that our manifests use, so that they can be rendered where no binary of it is.

Resources, components, a namespace, JSON patches by target, image names and tags. Anything else in a kustomization is an
error, not ignored; a test compares the result with `kubectl kustomize` where that is installed.
"""

import copy
import re
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]


KNOWN = {"apiVersion", "kind", "resources", "components", "namespace", "patches", "images"}
WITHOUT_NAMESPACE = {"Namespace", "ClusterRole", "ClusterRoleBinding", "PriorityClass", "StorageClass"}


class RenderError(Exception):
    """A kustomization that this renderer, or kustomize, would not take."""


def render(folder: Path) -> list[Document]:
    """The documents of the kustomization in `folder`."""
    return _apply(folder, [])


def _apply(folder: Path, documents: list[Document]) -> list[Document]:
    path = folder / "kustomization.yaml"
    (kustomization,) = _read(path.read_text())
    if unknown := kustomization.keys() - KNOWN:
        raise RenderError(f"{path}: {', '.join(sorted(unknown))} is not supported here")
    documents = documents + [
        document for name in kustomization.get("resources", []) for document in _resource(folder / name)
    ]
    _refuse_repeats(documents)
    for name in kustomization.get("components", []):
        documents = _apply(folder / name, documents)
    for patch in kustomization.get("patches", []):
        _patch(documents, patch, path)
    for document in documents:
        if "namespace" in kustomization and document["kind"] not in WITHOUT_NAMESPACE:
            document["metadata"]["namespace"] = kustomization["namespace"]
        for image in kustomization.get("images", []):
            _set_image(document, image)
    return documents


def _resource(path: Path) -> list[Document]:
    if path.is_dir():
        return render(path)
    return _read(path.read_text())


def _read(text: str) -> list[Any]:
    """The documents of a YAML text, by libyaml where PyYAML has it: ten times as fast."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [document for document in yaml.load_all(text, Loader=loader) if document]


def _refuse_repeats(documents: list[Document]) -> None:
    seen = set()
    for document in documents:
        name = (document["kind"], document["metadata"]["name"])
        if name in seen:
            raise RenderError(f"{name[0]} {name[1]} is there twice")
        seen.add(name)


def _patch(documents: list[Document], patch: dict[str, Any], path: Path) -> None:
    target = patch["target"]
    found = [
        document
        for document in documents
        if document["kind"] == target["kind"] and re.fullmatch(target["name"], document["metadata"]["name"])
    ]
    if not found:
        raise RenderError(f"{path}: no {target['kind']} {target['name']} to patch")
    for document in found:
        for operations in _read(patch["patch"]):
            for operation in operations:
                _operate(document, operation)


def _operate(document: Document, operation: dict[str, Any]) -> None:
    """Apply one operation of a JSON patch (RFC 6902): add, replace or remove."""
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    node: Any = document
    for part in way:
        node = node[int(part)] if isinstance(node, list) else node[part]
    value = copy.deepcopy(operation.get("value"))
    match operation["op"], node:
        case "add", list():
            node.insert(len(node) if last == "-" else int(last), value)
        case "replace", list():
            node[int(last)] = value
        case "remove", list():
            del node[int(last)]
        case "add", _:
            node[last] = value
        case (("replace" | "remove"), _) if last not in node:
            raise RenderError(f"{document['kind']} {document['metadata']['name']} has no {operation['path']}")
        case "replace", _:
            node[last] = value
        case "remove", _:
            del node[last]
        case unknown, _:
            raise RenderError(f"the operation {unknown} is not supported here")


def _set_image(node: Any, image: dict[str, str]) -> None:
    """Set the image in every container below, as kustomize does."""
    if isinstance(node, list):
        for item in node:
            _set_image(item, image)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("containers", "initContainers"):
                for container in value:
                    if container["image"].split(":")[0] == image["name"]:
                        container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"
            else:
                _set_image(value, image)
