"""RabbitMQ for one stack, one node or a cluster: own names, name service, ports, home and data; no plugins unless asked
for.

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


CLUSTER_CONFIG = """\
cluster_name = synctalk
cluster_partition_handling = pause_minority
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.target_cluster_size_hint = {size}
cluster_formation.discovery_retry_limit = 6
cluster_formation.discovery_retry_interval = 500
"""


@dataclass(frozen=True)
class RabbitPorts:
    amqp: int
    epmd: int
    """Of the name service, which all nodes of a cluster share, and nobody else."""
    distribution: int
    management: int | None = None
    """Where the management API listens; None leaves the plugin out, which starts and stops faster."""


@dataclass(frozen=True)
class Cluster:
    """The nodes of a cluster, as each of them knows it."""

    names: tuple[str, ...]
    cookie: str
    """By which they know each other."""

    def config(self) -> str:
        nodes = (
            f"cluster_formation.classic_config.nodes.{number} = {node_name(name)}\n"
            for number, name in enumerate(self.names, start=1)
        )
        return CLUSTER_CONFIG.format(size=len(self.names)) + "".join(nodes)


def node_name(name: str) -> str:
    """Return the name by which Erlang knows the node."""
    return f"{name}@localhost"


def rabbitmq_spec(
    directory: Path,
    ports: RabbitPorts,
    password: str,
    start_script: Path,
    definitions: str | None = None,
    *,
    name: str = "synctalk",
    cluster: Cluster | None = None,
) -> ProcessSpec:
    """Return a node. One of a `cluster` joins the others when it is started for the first time.

    `definitions`: what the node imports at each start, the administrator included, whom it else makes by itself.
    """
    home, data, log = directory / "home", directory / "data", directory / "log"
    config, plugins = directory / "rabbitmq.conf", directory / "enabled_plugins"
    text = CONFIG.format(amqp=ports.amqp, user=USER, password=password)
    if ports.management is not None:
        text += MANAGEMENT_CONFIG.format(management=ports.management)
    files = {config: text, plugins: "[rabbitmq_management].\n" if ports.management else "[].\n"}
    if definitions is not None:
        imported = directory / "definitions.json"
        files[config] += f"load_definitions = {imported}\n"
        files[imported] = definitions
    if cluster is not None:
        files[config] += cluster.config()
        files[home / ".erlang.cookie"] = cluster.cookie
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
        "RABBITMQ_NODENAME": node_name(name),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_FLAGS,
    }
    return ProcessSpec(
        name="rabbitmq" if cluster is None else name,
        port=ports.amqp,
        command=(str(start_script), "-noinput"),
        is_ready=lambda: _is_ready(ports),
        directory=directory,
        environment=environment,
        folders=(directory, home, data, log),
        files=files,
        cleanup=lambda: stop_epmd(ports.epmd),
        stop_wait_s=20,
    )


def rabbitmq_url(port: int, password: str, user: str = USER) -> str:
    return f"amqp://{user}:{password}@127.0.0.1:{port}/"


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
