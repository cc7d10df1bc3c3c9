"""Is every document valid?

By Kubernetes' own schema, strictly; a custom resource by the one in `schemas/`.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
from jsonschema import Draft202012Validator

VERSION = "1.34"
SCHEMAS = Path(__file__).parent / "schemas"


def problems(documents: list[dict[str, Any]]) -> list[str]:
    return [
        f"{document.get('kind')} {_name(document)}: {text}"
        for document in documents
        for text in _problems(json.dumps(document, sort_keys=True))
    ]


@cache
def _problems(text: str) -> list[str]:
    """By its text: the same document in another overlay is not looked at twice."""
    document = json.loads(text)
    custom = SCHEMAS / f"{str(document.get('kind', '')).lower()}.json"
    if custom.exists():
        validator = Draft202012Validator(json.loads(custom.read_text()))
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]
    try:
        kubernetes_validate.validate(document, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{'.'.join(map(str, error.path))}: {error.message}"]
    except kubernetes_validate.SchemaNotFoundError:
        return ["there is no such kind"]
    return []


def _name(document: dict[str, Any]) -> str:
    return str(document.get("metadata", {}).get("name"))
