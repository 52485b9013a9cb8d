"""A throw-away PostgreSQL, started from the installed binaries and gone with the test session."""

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from types import TracebackType

import psycopg
from psycopg import sql

NOT_FOUND = "PostgreSQL's server binaries (initdb, postgres) were not found; install the postgresql package"
_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/bin",
)


def find_binaries() -> Path | None:
    """The directory of the newest installed server, or None."""
    on_path = shutil.which("initdb")
    found = [path for place in _PLACES for path in glob.glob(place)] + (
        [str(Path(on_path).parent)] if on_path else []
    )
    servers = [Path(p) for p in found if (Path(p) / "initdb").exists() and (Path(p) / "postgres").exists()]
    return max(servers, key=_version, default=None)


class Cluster:
    """One PostgreSQL server in a temporary directory, on a Unix socket and a free loopback port."""

    def __init__(self, binaries: Path, *, durable: bool = False) -> None:
        self._binaries = binaries
        self._durable = durable  # What it said is committed survives its being killed.
        # pytest's own directories are closed to the user that the server runs as.
        self._home = Path(tempfile.mkdtemp(prefix="rapport-pg-", dir="/tmp"))
        self.port = _free_port()

    def __enter__(self) -> "Cluster":
        user = _unprivileged_user()
        if user is not None:
            shutil.chown(self._home, user)
        data = self._home / "data"
        binary = self._binaries
        subprocess.run(
            [
                *(*_as(user), str(binary / "initdb"), "-D", str(data), "-U", "rapport", "-A", "trust"),
                *("-E", "UTF8", "--locale=C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd="/",
        )
        self.start()
        return self

    def start(self) -> None:
        """Start the server, for the first time or after it was killed."""
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self._home,
            "max_connections": 100,
        }
        if not self._durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        deadline = time.monotonic() + 30
        while True:
            with (self._home / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    [*_as(_unprivileged_user()), str(self._binaries / "postgres"), "-D"]
                    + [str(self._home / "data")]
                    + [part for name, value in options.items() for part in ("-c", f"{name}={value}")],
                    stdout=log,
                    stderr=log,
                    cwd="/",
                )
            if self._answers():
                return
            # What a killed server leaves behind holds its memory for a moment.
            if time.monotonic() > deadline:
                raise RuntimeError((self._home / "log").read_text())
            time.sleep(0.1)

    def kill(self) -> None:
        """End the server without warning, in the middle of whatever it does."""
        self._process.kill()
        self._process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGINT)  # Ends at once, whoever is still connected.
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://rapport@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template1") -> str:
        """A new database, a copy of the template."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        with self._admin() as admin:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            admin.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop(self, name: str) -> None:
        with self._admin() as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _admin(self) -> psycopg.Connection[tuple[object, ...]]:
        address = f"host=127.0.0.1 port={self.port} user=rapport dbname=postgres connect_timeout=2"
        return psycopg.connect(address, autocommit=True)

    def _answers(self) -> bool:
        """Wait until it takes connections; False when it ended instead."""
        deadline = time.monotonic() + 30
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                self._admin().close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        return False


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root, and rightly."""
    if os.geteuid() != 0:
        return None
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _as(user: str | None) -> list[str]:
    if user is None:
        return []
    import pwd

    entry = pwd.getpwnam(user)
    drop = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    # A test run that is killed takes its server along.
    return [*drop, "--pdeathsig=INT", "--"]


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.parent.name.split(".") if part.isdigit())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
