"""`make k8s-check`: renders every overlay and checks it, offline. Prints what is wrong, and ends with 1 if anything is.

    python -m synctalk_k8s            check all overlays
    python -m synctalk_k8s FOLDER     check those of another folder (as the tests do)
    python -m synctalk_k8s --render prod    print an overlay as `kubectl kustomize` would

Four questions are asked of each overlay: is every document valid (`documents.py`), does everything that is named exist
(`references.py`), is every pod closed, bounded and probed (`pods.py`), and do the services understand what they are
given (`service_settings.py`)?
"""

import sys
from pathlib import Path

import yaml

from synctalk_k8s import documents, pods, references, service_settings
from synctalk_k8s.render import RenderError, render

HERE = Path(__file__).resolve().parents[2]


def problems_of(overlay: Path) -> list[str]:
    try:
        rendered = render(overlay)
    except (RenderError, OSError, yaml.YAMLError) as error:
        return [f"it cannot be rendered: {error}"]
    invalid = documents.problems(rendered)
    if invalid:  # the other questions are asked of valid documents
        return invalid
    return [
        *references.problems(rendered),
        *pods.problems(rendered),
        *service_settings.problems(rendered, production=overlay.name != "local"),
    ]


def check(folder: Path) -> list[str]:
    overlays = sorted(path.parent for path in (folder / "overlays").glob("*/kustomization.yaml"))
    if not overlays:
        return [f"no overlays below {folder}"]
    return [f"{overlay.name}: {problem}" for overlay in overlays for problem in problems_of(overlay)]


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--render"]:
        print(yaml.safe_dump_all(render(HERE / "overlays" / arguments[1]), sort_keys=False))
        return 0
    found = check(Path(arguments[0]) if arguments else HERE)
    print("\n".join(found) if found else "The Kubernetes manifests are in order.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
