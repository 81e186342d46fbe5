"""Real database servers, for tests and benches: on a free port of this machine, with a folder of their own.

Neither server runs as root: where tests do, it runs as the user of its Debian package.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

PASSWORD = "s3cret:/@%41 ü"
"""Every user's; it has to be quoted in a URL."""
LONGEST_START = 60
"""Seconds."""


@dataclass
class Server:
    """`url` is of its administrator. `stop` and `start` may be called by a test that puts back what it found."""

    url: sa.URL
    start: Callable[[], None]
    stop: Callable[[], None]

    def execute(self, *statements: str, user: str | None = None, database: str | None = None) -> list[tuple]:
        """Runs the statements, each in a transaction of its own; the rows of the last."""
        url = self.url.set(**{key: it for key, it in (("username", user), ("database", database)) if it})
        rows = []
        with engine_of(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                found = connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
                rows = [tuple(row) for row in found] if found.returns_rows else []
        return rows


def engine_of(url: sa.URL) -> sa.Engine:
    """PyMySQL takes a password that is text for Latin-1."""
    arguments = {"password": url.password.encode()} if "pymysql" in url.drivername and url.password else {}
    return sa.create_engine(url, connect_args=arguments, poolclass=sa.NullPool)


def missing_postgresql() -> str | None:
    """Why there can be no server, or None."""
    return None if _postgresql("postgres") else "no PostgreSQL: apt install postgresql"


def missing_mariadb() -> str | None:
    found = shutil.which("mariadbd", path=_PATH) and shutil.which("mariadb-install-db", path=_PATH)
    return None if found else "no MariaDB: apt install mariadb-server"


@contextmanager
def postgresql_server() -> Iterator[Server]:
    """With the roles `publisher`, who may make schemas in the database `plant`, and `bi`, who may log in."""
    with _folder("postgres") as (folder, user):
        password = folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        data = ["-D", folder / "data"]
        arguments = ["-U", "postgres", "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--no-locale"]
        _run_as(user, folder, [_postgresql("initdb"), *data, *arguments, "--no-sync"])
        port = _free_port()
        command = [_postgresql("postgres"), *data, "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
        command += ["-c", "unix_socket_directories=", "-c", "fsync=off"]
        url = sa.URL.create("postgresql+psycopg", "postgres", PASSWORD, "127.0.0.1", port, "postgres")
        with _running(command, user, folder, url, signal.SIGINT) as server:
            quoted = PASSWORD.replace("'", "''")
            server.execute(
                f"create role publisher login password '{quoted}'",
                f"create role bi login password '{quoted}'",
                "create database plant owner publisher",
            )
            yield server


@contextmanager
def mariadb_server() -> Iterator[Server]:
    """With the users `publisher`, who may do all but look after users, and `bi`, who may log in."""
    with _folder("mysql") as (folder, user):
        data = f"--datadir={folder / 'data'}"
        install = [shutil.which("mariadb-install-db", path=_PATH), "--no-defaults", data, "--skip-test-db"]
        _run_as(user, folder, [*install, "--auth-root-authentication-method=normal"])
        command = [shutil.which("mariadbd", path=_PATH), "--no-defaults", data, "--bind-address=127.0.0.1"]
        port = _free_port()
        command += [f"--port={port}", f"--socket={folder / 'socket'}", "--innodb-flush-log-at-trx-commit=0"]
        command += [f"--pid-file={folder / 'pid'}"]
        administrator = sa.URL.create(
            "mariadb+pymysql", "root", host="localhost", query={"unix_socket": str(folder / "socket")}
        )
        with _running(command, user, folder, administrator, signal.SIGTERM) as server:
            server.execute(
                f"create user publisher identified by '{PASSWORD}'",
                f"create user bi identified by '{PASSWORD}'",
                "grant all on *.* to publisher with grant option",
                "drop user if exists ''@'localhost'",
            )
            server.url = sa.URL.create("mariadb+pymysql", "publisher", PASSWORD, "127.0.0.1", port)
            yield server


_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def _postgresql(program: str) -> str | None:
    """Debian keeps the server's programs out of the path, in a folder by version."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return shutil.which(program, path=os.pathsep.join([*map(str, reversed(folders)), _PATH]))


@contextmanager
def _folder(package_user: str) -> Iterator[tuple[Path, str | None]]:
    """A folder that the server may use, and as whom it runs (None: as we do)."""
    user = None
    if os.geteuid() == 0:
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = package_user if package_user in names else "nobody"
    with tempfile.TemporaryDirectory(prefix="firstpass-", ignore_cleanup_errors=True) as name:
        if user:
            shutil.chown(name, user)
        yield Path(name), user


def _run_as(user: str | None, folder: Path, command: list) -> None:
    done = subprocess.run(command, cwd=folder, user=user, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _running(command: list, user: str | None, folder: Path, url: sa.URL, ending: signal.Signals) -> Iterator[Server]:
    running: list[subprocess.Popen] = []

    def start() -> None:
        with (folder / "log").open("a") as log:
            running.append(subprocess.Popen(command, cwd=folder, user=user, stdout=log, stderr=log))
        until = time.monotonic() + LONGEST_START
        while True:
            try:
                return server.execute("select 1")
            except sa.exc.OperationalError:
                if running[-1].poll() is not None or time.monotonic() > until:
                    raise AssertionError((folder / "log").read_text()) from None
                time.sleep(0.1)

    def stop() -> None:
        if running[-1].poll() is None:
            running[-1].send_signal(ending)
            running[-1].wait(LONGEST_START)

    server = Server(url, start, stop)
    try:
        start()
        yield server
    finally:
        stop()
