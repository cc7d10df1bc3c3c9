"""`python -m synctalk_testkit`: a backing set that stays up for many test runs, until Ctrl-C.

It prints the variable to set; runs that have it start in no time.
"""

import signal
import sys
import tempfile
from pathlib import Path

from synctalk_testkit import backing, local

WORKERS = 4


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="synctalk-backing-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with local.started(folder, WORKERS) as running:
            path = folder / "backing.json"
            path.write_text(running.to_json())
            sys.stdout.write(f"export {backing.GIVEN}={path}\n")
            sys.stdout.flush()
            signal.pause()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
