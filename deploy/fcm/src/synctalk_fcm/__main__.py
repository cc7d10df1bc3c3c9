"""`python -m synctalk_fcm`: serve; `… credentials PATH --url URL`: write a service account that points here.

With `--vapid-key PATH` a key for Web Push is written too.
"""

import argparse
from pathlib import Path

import uvicorn
from synctalk_runtime import serving

from synctalk_fcm.credentials import write_credentials, write_vapid_key
from synctalk_fcm.main import build
from synctalk_fcm.settings import FcmSettings


def main() -> None:
    parser = argparse.ArgumentParser(prog="synctalk_fcm", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve")
    credentials = commands.add_parser("credentials")
    credentials.add_argument("path", type=Path)
    credentials.add_argument("--url", required=True, help="where the stand-in answers, as the notifier sees it")
    credentials.add_argument("--vapid-key", type=Path, help="where to write a key for Web Push too")
    arguments = parser.parse_args()
    if arguments.command == "credentials":
        written = write_credentials(arguments.path, arguments.url)
        print(f"{arguments.path}: {'written' if written else 'kept'}")
        if arguments.vapid_key:
            written = write_vapid_key(arguments.vapid_key)
            print(f"{arguments.vapid_key}: {'written' if written else 'kept'}")
    else:
        serve(FcmSettings())


def serve(settings: FcmSettings) -> None:
    config = uvicorn.Config(
        build(settings),
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_timeout_s,
    )
    serving.run(config)


if __name__ == "__main__":
    main()
