"""PostgreSQL for one stack: a cluster of its own, a database and a role for each service.

PostgreSQL refuses to run as root, so root runs it as `postgres` (or `nobody`), who must be able to reach the data:
where a parent folder is closed to others (`/root`), the cluster lives under `/var/lib` instead.
The cluster is as durable as in production (fsync, synchronous commit), unless a test asks for less.
"""

import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

from synctalk_backing import probe
from synctalk_backing.process import Account, ProcessSpec

CONFIG = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
hba_file = '{hba}'
max_connections = 200
shared_buffers = 128MB
effective_cache_size = 512MB
work_mem = 8MB
max_wal_size = 1GB
checkpoint_timeout = 15min
wal_compression = on
jit = off
password_encryption = scram-sha-256
tcp_keepalives_idle = 15
tcp_keepalives_interval = 5
tcp_keepalives_count = 3
fsync = {durable}
synchronous_commit = {durable}
full_page_writes = {durable}
log_min_messages = warning
log_line_prefix = '%m [%p] %q%u@%d '
logging_collector = off
timezone = 'UTC'
log_timezone = 'UTC'
"""

HBA = "host all all 127.0.0.1/32 scram-sha-256\n"


def postgres_spec(
    directory: Path, port: int, admin_password: str, binaries: Path, *, durable: bool = True
) -> ProcessSpec:
    """`directory` holds the configuration and, where the account can reach it, the cluster."""
    account = run_account()
    home = home_for(directory, account)
    data, config, hba = home / "data", home / "postgresql.conf", home / "pg_hba.conf"
    password_file = home / "admin-password"

    def prepare() -> None:
        _initialise(data, binaries, password_file, account)

    return ProcessSpec(
        name="postgres",
        port=port,
        command=(str(binaries / "postgres"), "-D", str(data), "-c", f"config_file={config}"),
        is_ready=lambda: probe.postgres_serves(port),
        directory=home,
        folders=(home,),
        files={
            config: CONFIG.format(port=port, hba=hba, durable="on" if durable else "off"),
            hba: HBA,
            password_file: f"{admin_password}\n",
        },
        prepare=prepare,
        account=account,
        forks=True,  # sessions keep the shared memory
        # A fast shutdown: sessions are ended, the checkpoint is written. TERM would wait for every session to leave.
        stop_signal="INT",
        stop_wait_s=20,
    )


def postgres_url(port: int, database: str, role: str, password: str) -> str:
    return f"postgresql://{role}:{password}@127.0.0.1:{port}/{database}"


def create_databases(
    init_sql: Path, port: int, admin_password: str, passwords: Mapping[str, str], binaries: Path, scratch: Path
) -> None:
    """Create each service's role and database, or bring them to what `init_sql` says; run it as often as you like."""
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    environment = os.environ | {
        "PGPASSFILE": str(_private(scratch / "pgpass", f"127.0.0.1:{port}:*:postgres:{admin_password}\n")),
        "SYNCTALK_PASSWORDS_DIR": str(scratch),
        "PGCONNECT_TIMEOUT": "5",
    }
    for service, password in passwords.items():
        _private(scratch / f"synctalk_{service}_db_password", password)
    command = [str(binaries / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(port)]
    done = subprocess.run(
        [*command, "-U", "postgres", "-d", "postgres", "-f", str(init_sql)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"The databases could not be created: {done.stderr.strip()}")


def run_account() -> Account | None:
    """The account that PostgreSQL runs as: one's own, unless that is root."""
    return Account.named("postgres", "nobody") if os.geteuid() == 0 else None


def home_for(directory: Path, account: Account | None) -> Path:
    """`directory`, or a place under /var/lib named after it where the account cannot pass through a parent."""
    if account is None or _can_pass(directory, account):
        return directory
    name = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
    return Path("/var/lib/synctalk") / name


def _can_pass(directory: Path, account: Account) -> bool:
    for parent in directory.absolute().parents:
        if not parent.exists():
            continue
        status = parent.stat()
        owner_may = status.st_uid == account.uid and status.st_mode & stat.S_IXUSR
        if not (owner_may or status.st_mode & stat.S_IXOTH):
            return False
    return True


def _initialise(data: Path, binaries: Path, password_file: Path, account: Account | None) -> None:
    if (data / "PG_VERSION").exists():
        return
    shutil.rmtree(data, ignore_errors=True)  # what an interrupted initdb has left
    command = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]
    options = ["--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync", "--no-instructions"]
    done = subprocess.run(
        [*command, *options],
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"PostgreSQL could not make its data folder: {done.stderr.strip()}")


def _private(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
    return path
