"""A PostgreSQL server of the tests' own: on loopback, in a folder of its own, as an unprivileged user."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
    return port


def find_binaries() -> Path | None:
    """The folder that holds both `initdb` and `pg_ctl`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name, reverse=True)
    on_path = shutil.which("initdb")
    for folder in [*found, *([Path(on_path).parent] if on_path else [])]:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    return None


def why_not() -> str | None:
    """What is missing for a server, None if nothing is."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "needs psycopg: pip install 'psycopg[binary]'"
    if find_binaries() is None:
        return "needs PostgreSQL's initdb and pg_ctl: apt-get install postgresql"
    return None


class PostgresServer:
    """Started when made; PostgreSQL refuses to run as root, so it runs as `postgres` or `nobody` then."""

    def __init__(self) -> None:
        found = find_binaries()
        assert found is not None
        self._bin = found
        self._user = _unprivileged() if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="foretell-pg-"))
        self.folder.chmod(0o755)
        if self._user:
            shutil.chown(self.folder, self._user)
        self._port, self._made = free_port(), 0
        self._run("initdb", "-D", self.folder / "data", "-U", "foretell", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    def fresh_database(self) -> str:
        """The URL of a database with nothing in it."""
        import psycopg

        self._made += 1
        name = f"d{self._made}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._address(name).replace("postgresql:", "postgresql+psycopg:")

    def _address(self, database: str) -> str:
        return f"postgresql://foretell@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        # fsync guards against a machine that loses power; what these tests kill are processes
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self._run("pg_ctl", "start", "-w", "-D", self.folder / "data", "-l", self.folder / "log", "-o", options)

    def restart(self, mode: str, pause: float = 0.0) -> None:
        """Stop and start again; "immediate" is a crash, whose log is replayed, "fast" ends sessions."""
        self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", self.folder / "data")
        time.sleep(pause)
        self.start()

    def close(self) -> None:
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self.folder / "data")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, name: str, *arguments: object) -> None:
        user = {} if self._user is None else {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid}
        done = subprocess.run(
            [str(self._bin / name), *map(str, arguments)],
            stdout=subprocess.PIPE if name == "initdb" else subprocess.DEVNULL,  # the server inherits it otherwise
            stderr=subprocess.STDOUT,
            cwd="/",
            timeout=60,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            **user,
        )
        if done.returncode:
            log = self.folder / "log"
            said = log.read_text()[-2000:] if log.exists() else (done.stdout or b"").decode()
            raise RuntimeError(f"{name} as {self._user or getpass.getuser()} failed: {said}")


def _unprivileged() -> str:
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise RuntimeError("no unprivileged user to run PostgreSQL as")
