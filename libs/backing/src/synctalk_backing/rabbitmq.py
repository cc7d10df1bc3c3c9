"""RabbitMQ for one stack: its own node, name service, ports, home and data; no plugins unless asked for.

The broker's start script is made to become the Erlang machine (`exec`), so the process that is supervised is
the one that does the work, and a kill is seen at once. The name service (`epmd`) outlives the broker by
its nature; `cleanup` ends it.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from synctalk_backing import probe
from synctalk_backing.process import ProcessSpec

USER = "synctalk"

CONFIG = """\
listeners.tcp.default = 127.0.0.1:{amqp}
default_user = {user}
default_pass = {password}
loopback_users = none
heartbeat = 10
log.file = false
log.console = true
log.console.level = warning
vm_memory_high_watermark.absolute = 512MiB
disk_free_limit.absolute = 50MB
"""

MANAGEMENT_CONFIG = """\
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
management_agent.disable_metrics_collector = true
"""

# A few schedulers that sleep when idle: busy waiting would take the two cores of a small machine from the services.
ERLANG_FLAGS = (
    "+S 2:2 +SDcpu 1:1 +SDio 4 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
)

# The broker loads some 900 modules one by one while it starts, which is most of its start. Loaded as one batch beside
# the start, they let it listen after 2.0 s instead of 4.1 s, with 2.1 s of CPU instead of 3.3 s (3.10, two cores).
# What is not there, or fails, is loaded as it always was.
PRELOADED = (
    "compiler,tools,xmerl,ssl,inets,mnesia,public_key,syntax_tools,os_mon,rabbit_common,ra,rabbit,"
    "rabbitmq_prelaunch,cuttlefish,ranch,osiris,observer_cli,jsx,syslog"
)
PRELOAD = (
    "spawn(fun()->catch code:ensure_modules_loaded(lists:append("
    "[begin {ok,[{application,A,P}]}=file:consult(F),proplists:get_value(modules,P) end||"
    f"A<-[{PRELOADED}],F<-[code:where_is_file(atom_to_list(A)++[46,97,112,112])],F=/=non_existing])) end)"
)


@dataclass(frozen=True)
class RabbitPorts:
    amqp: int
    epmd: int
    distribution: int
    management: int | None = None
    """Where the management API listens; None leaves the plugin out, which starts and stops faster."""


def rabbitmq_spec(directory: Path, ports: RabbitPorts, password: str, start_script: Path) -> ProcessSpec:
    home, data, log = directory / "home", directory / "data", directory / "log"
    config, plugins = directory / "rabbitmq.conf", directory / "enabled_plugins"
    text = CONFIG.format(amqp=ports.amqp, user=USER, password=password)
    if ports.management is not None:
        text += MANAGEMENT_CONFIG.format(management=ports.management)
    environment = {
        "HOME": str(home),
        "ERL_AFLAGS": f"-eval '{PRELOAD}' -noinput",
        "ERL_EPMD_PORT": str(ports.epmd),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_ALLOW_INPUT": "1",  # the start script then execs the Erlang machine instead of waiting beside it
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": str(config),
        "RABBITMQ_DIST_PORT": str(ports.distribution),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_LOG_BASE": str(log),
        "RABBITMQ_LOG": "-color",
        "RABBITMQ_MNESIA_BASE": str(data),
        "RABBITMQ_NODENAME": "synctalk@localhost",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_FLAGS,
    }
    return ProcessSpec(
        name="rabbitmq",
        port=ports.amqp,
        command=(str(start_script), "-noinput"),
        is_ready=lambda: _is_ready(ports),
        directory=directory,
        environment=environment,
        folders=(directory, home, data, log),
        files={config: text, plugins: "[rabbitmq_management].\n" if ports.management else "[].\n"},
        cleanup=lambda: stop_epmd(ports.epmd),
        stop_wait_s=20,
    )


def rabbitmq_url(port: int, password: str) -> str:
    return f"amqp://{USER}:{password}@127.0.0.1:{port}/"


def stop_epmd(port: int) -> None:
    """End the name service on this port, if there is one."""
    if not probe.port_is_taken(port):
        return
    environment = os.environ | {"ERL_EPMD_PORT": str(port), "ERL_EPMD_RELAXED_COMMAND_CHECK": "1"}
    subprocess.run(["epmd", "-port", str(port), "-kill"], env=environment, capture_output=True, check=False)


def _is_ready(ports: RabbitPorts) -> bool:
    if not probe.rabbitmq_serves(ports.amqp):
        return False
    return ports.management is None or probe.http_answers(
        f"http://127.0.0.1:{ports.management}/api/auth", range(200, 500)
    )
