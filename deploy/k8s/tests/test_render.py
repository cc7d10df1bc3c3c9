"""Our renderer does as kustomize does, and refuses what it does not know."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from synctalk_k8s.render import RenderError, render

HERE = Path(__file__).parents[1]
OVERLAYS = sorted(path.name for path in (HERE / "overlays").iterdir())


def _by_name(documents: list[Any]) -> dict[tuple[str, str], Any]:
    return {(document["kind"], document["metadata"]["name"]): document for document in documents if document}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_render__each_overlay__is_as_kubectl_renders_it(overlay: str) -> None:
    ran = subprocess.run(
        ["kubectl", "kustomize", str(HERE / "overlays" / overlay)], check=True, capture_output=True, text=True
    )

    assert _by_name(render(HERE / "overlays" / overlay)) == _by_name(list(yaml.safe_load_all(ran.stdout)))


def _kustomization(folder: Path, patch: str) -> Path:
    (folder / "thing.yaml").write_text("{kind: ConfigMap, metadata: {name: thing}, data: {a: '1'}, list: [x, y]}\n")
    text = {
        "resources": ["thing.yaml"],
        "patches": [{"target": {"kind": "ConfigMap", "name": "thing"}, "patch": patch}],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(text))
    return folder


@pytest.mark.parametrize(
    ("patch", "changed"),
    [
        ("- {op: add, path: /data/b, value: '2'}", {"data": {"a": "1", "b": "2"}}),
        ("- {op: replace, path: /data/a, value: '2'}", {"data": {"a": "2"}}),
        ("- {op: remove, path: /data/a}", {"data": {}}),
        ("- {op: add, path: /list/-, value: z}", {"list": ["x", "y", "z"]}),
        ("- {op: add, path: /list/0, value: z}", {"list": ["z", "x", "y"]}),
        ("- {op: replace, path: /list/1, value: z}", {"list": ["x", "z"]}),
        ("- {op: remove, path: /list/0}", {"list": ["y"]}),
        ("- {op: add, path: /data/b~1c, value: '2'}", {"data": {"a": "1", "b/c": "2"}}),
    ],
)
def test_patch__each_operation__changes_what_it_says(tmp_path: Path, patch: str, changed: dict[str, Any]) -> None:
    (document,) = render(_kustomization(tmp_path, patch))

    assert {name: document[name] for name in changed} == changed


@pytest.mark.parametrize(
    "patch", ["- {op: replace, path: /data/b, value: 2}", "- {op: move, path: /data/a, from: /data/b}"]
)
def test_patch__of_what_is_not_there__is_refused(tmp_path: Path, patch: str) -> None:
    with pytest.raises(RenderError):
        render(_kustomization(tmp_path, patch))
