"""What is committed is what the models say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from synctalk_contracts import registry
from synctalk_contracts.compatibility import schema_of
from synctalk_contracts.sockets import TO_SERVER, ToServer

PACKAGE = Path(__file__).parents[1]


@pytest.mark.parametrize(("name", "model"), registry.schemas().items(), ids=registry.schemas().keys())
def test_schema__as_committed__is_up_to_date(name: str, model: type[BaseModel]) -> None:
    committed = json.loads((PACKAGE / "schemas" / f"{name}.json").read_text())

    assert committed == schema_of(model)
    Draft202012Validator.check_schema(committed)


def test_schemas__files_without_a_model__are_none() -> None:
    files = {str(path.relative_to(PACKAGE / "schemas")) for path in (PACKAGE / "schemas").rglob("*.json")}

    assert files == {f"{name}.json" for name in registry.schemas()}


def test_generator__nothing_changed__has_nothing_to_do() -> None:
    ran = subprocess.run(
        [sys.executable, str(PACKAGE / "generate.py"), "--check", "--without-web"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("payload", TO_SERVER.values(), ids=TO_SERVER.keys())
def test_to_server__every_field__is_bounded(payload: type[ToServer]) -> None:
    schema = schema_of(payload)

    assert schema["additionalProperties"] is False
    assert _unbounded(schema) == []


def _unbounded(node: dict[str, object], where: str = "") -> list[str]:
    """Paths of strings, numbers, lists and maps without an upper bound."""
    found: list[str] = []
    for choice in _dicts(node.get("anyOf")):
        found += _unbounded(choice, where)
    match node.get("type"):
        case "string":
            if "maxLength" not in node and "enum" not in node and not str(node.get("pattern", "")).endswith("}$"):
                found.append(f"{where}: a string")
        case "integer" | "number":
            if "maximum" not in node:
                found.append(f"{where}: a number")
        case "array":
            if "maxItems" not in node:
                found.append(f"{where}: a list")
            found += [problem for item in _dicts([node["items"]]) for problem in _unbounded(item, f"{where}[]")]
        case "object":
            if "properties" not in node and "maxProperties" not in node and node.get("additionalProperties", True):
                found.append(f"{where}: a map")
            properties = node.get("properties", {})
            assert isinstance(properties, dict)
            for name, child in properties.items():
                found += _unbounded(child, f"{where}.{name}")
            for child in _dicts([node.get("additionalProperties"), *_dicts([node.get("propertyNames")])]):
                found += _unbounded(child, f"{where}.*")
    return found


def _dicts(values: object) -> list[dict[str, object]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
