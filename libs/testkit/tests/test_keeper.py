"""No server outlives the run that started it, however that ends."""

import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit

from synctalk_backing.probe import port_is_taken
from synctalk_testkit.backing import GIVEN, OWNER, Backing
from synctalk_testkit.eventually import eventually_blocking

RUN = """
import time
from synctalk_testkit import backing
backing.become_owner()
print(backing.running().to_json(), flush=True)
time.sleep(600)
"""


def test_backing__its_run_killed__is_gone() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {GIVEN, OWNER}}
    with subprocess.Popen([sys.executable, "-c", RUN], env=environment, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        found = Backing.from_json(run.stdout.readline())
        run.send_signal(signal.SIGKILL)

    urls = (found.postgres_url, *found.redis_urls, found.rabbitmq_url, found.rabbitmq_management_url)
    ports = [urlsplit(url).port or 0 for url in urls]
    eventually_blocking(lambda: not any(map(port_is_taken, ports)), 20, message="servers outlived their run")
