"""`python -m synctalk_gateway`: serve until a signal stops it."""

from synctalk_runtime import telemetry
from synctalk_runtime.cli import load, read_settings

from synctalk_gateway.settings import Settings

if __name__ == "__main__":
    settings = read_settings(Settings)
    telemetry.setup(settings)
    build, serve = load("synctalk_gateway.main:build"), load("synctalk_gateway.serving:serve")
    serve(build, settings)
