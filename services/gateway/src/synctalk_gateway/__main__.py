"""`python -m synctalk_gateway`: serve until a signal stops it."""

from synctalk_runtime import telemetry
from synctalk_runtime.cli import read_settings

from synctalk_gateway.main import build
from synctalk_gateway.serving import serve
from synctalk_gateway.settings import Settings

if __name__ == "__main__":
    settings = read_settings(Settings)
    telemetry.setup(settings)
    serve(build, settings)
