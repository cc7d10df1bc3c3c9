"""The configuration as the image makes it: its defaults, its start script, envsubst, and nginx to judge the result."""

import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from synctalk_local.processes.edge import mime_types
from synctalk_systemtest.edge import image_defaults

EDGE = Path(__file__).parents[1]
SERVERS = {
    "EDGE_AUTH": "127.0.0.1:8001",
    "EDGE_API": "127.0.0.1:8002 127.0.0.1:8003",
    "EDGE_PRESENCE": "127.0.0.1:8004",
    "EDGE_NOTIFIER": "127.0.0.1:8005",
    "EDGE_GATEWAYS": "127.0.0.1:8006 127.0.0.1:8007",
    "EDGE_GATEWAY": "*.gateways.synctalk.svc.cluster.local:8000",
}
SCRIPT = """\
. {edge}/upstreams.envsh
envsubst "$(env | cut -d= -f1 | sed 's/.*/${{&}}/')" <{edge}/nginx.conf.template >{folder}/nginx.conf
nginx -t -p {folder} -e stderr -c {folder}/nginx.conf
"""


def configuration(folder: Path, **given: str) -> str:
    """What nginx is started with; refused by nginx, it fails the test."""
    (folder / "mime.types").write_text(mime_types())
    paths = {"EDGE_MAIN": f"pid {folder}/nginx.pid;", "MIME_TYPES": str(folder / "mime.types")}
    paths["EDGE_NAME"] = "0" * 32  # by serve.sh
    said = folder / "said"
    with said.open("w") as stderr:
        process = subprocess.Popen(
            ["sh", "-euc", SCRIPT.format(edge=EDGE, folder=folder)],
            env={"PATH": os.environ["PATH"]} | image_defaults() | SERVERS | paths | given,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        assert process.wait(timeout=30) == 0, said.read_text()
    finally:
        with suppress(ProcessLookupError):  # the look-out for changed addresses, where nginx is older
            os.killpg(process.pid, signal.SIGKILL)
    return (folder / "nginx.conf").read_text()


def test_image__by_itself__has_the_limits_of_production_and_no_development(tmp_path: Path) -> None:
    text = configuration(tmp_path)

    rates = {float(rate) for rate in re.findall(r"rate=(\d+)r/s", text)}
    assert len(re.findall("limit_req_zone", text)) == 4
    assert max(rates) <= 200
    assert re.search(r"limit_conn connections 1000;", text)
    assert "dev/push" not in text
    assert not re.search(r"^\s*set_real_ip_from", text, re.MULTILINE)


def test_image__with_everything_given__is_what_nginx_accepts(tmp_path: Path) -> None:
    text = configuration(
        tmp_path,
        EDGE_FCM="127.0.0.1:8008",
        EDGE_TRUSTED_PROXIES="192.0.2.0/28 2001:db8::/64",
        EDGE_HSTS="max-age=31536000; includeSubDomains",
        EDGE_IMAGE_SOURCES="https://a.example.com https://b.example.com",
        EDGE_FILE_ORIGINS="https://files.example.com",
    )

    assert "set_real_ip_from 192.0.2.0/28; set_real_ip_from 2001:db8::/64;" in text
    assert re.search(r"geo \$realip_remote_addr \$is_proxied \{\s+default 0;\s+192.0.2.0/28 1; 2001:db8::/64 1;", text)
    assert "real_ip_recursive" not in text


@pytest.mark.parametrize(
    "given",
    [
        "https://a.example.com,https://b.example.com:8443",
        " https://a.example.com , https://b.example.com:8443",
        '["https://a.example.com", "https://b.example.com:8443"]',
    ],
)
def test_image__with_allowed_origins__reads_them_as_the_services_do(tmp_path: Path, given: str) -> None:
    text = configuration(tmp_path, EDGE_ALLOWED_ORIGINS=given)

    for origin in ("https://a.example.com", "https://b.example.com:8443"):
        assert f'"{origin}" "{origin}";' in text
    assert "\"'self' https://a.example.com https://b.example.com:8443\";" in text


def test_image__with_an_address_of_ipv6_or_every_origin__is_what_nginx_accepts(tmp_path: Path) -> None:
    assert '"http://[::1]:3000" "http://[::1]:3000";' in configuration(
        tmp_path, EDGE_ALLOWED_ORIGINS="http://[::1]:3000"
    )
    assert "default $http_origin;" in configuration(tmp_path, EDGE_ALLOWED_ORIGINS='["*"]')


@pytest.mark.parametrize("origin", ['https://a"; return 200', "https://a${hostname}", "~.*", "https://a;b"])
def test_image__with_what_is_no_origin__does_not_start(tmp_path: Path, origin: str) -> None:
    with pytest.raises(AssertionError, match="EDGE_ALLOWED_ORIGINS"):
        configuration(tmp_path, EDGE_ALLOWED_ORIGINS=origin)


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_image__without_an_address__does_not_start(tmp_path: Path, name: str) -> None:
    with pytest.raises(AssertionError, match=name):
        configuration(tmp_path, **{name: ""})
