"""One more process of a service beside a running stack, with other settings and the same backing servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from synctalk_backing import probe
from synctalk_local.stack import service_specs, stack_credentials
from synctalk_testkit.eventually import eventually_blocking
from synctalk_testkit.local import running
from synctalk_testkit.ports import free_port

from synctalk_systemtest.stack import RunningStack

READY_TIMEOUT_S = 60


@contextmanager
def beside(stack: RunningStack, name: str, settings: dict[str, str]) -> Iterator[str]:
    """Another process like `name` (`auth-1`); where it answers. The edge does not know it."""
    spec = next(spec for spec in service_specs(stack.stack, stack_credentials(stack.stack)) if spec.name == name)
    port = free_port()
    inherited = {key: value for key, value in spec.environment.items() if key != "SYNCTALK_HTTP_UNIX_SOCKET"}
    environment = {
        **inherited,
        **{f"SYNCTALK_{key}": value for key, value in settings.items()},
        "SYNCTALK_HTTP_PORT": str(port),
        "SYNCTALK_INSTANCE": f"{name}-beside",
    }
    own = replace(spec, name=f"{name}-beside", port=port, environment=environment)
    with running(own, stack.stack.logs):
        url = f"http://127.0.0.1:{port}"
        eventually_blocking(
            lambda: probe.http_answers(f"{url}/readyz"), READY_TIMEOUT_S, message=stack.log(f"{name}-beside")
        )
        yield url
