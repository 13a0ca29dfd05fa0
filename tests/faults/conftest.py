"""What the fault tests share: servers, storages, and the table that is printed at the end."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
os.environ.setdefault("OMP_NUM_THREADS", "1")

from fault_table import FaultTable
from fault_worker import Place, serve
from faulty_study import CONTEXT, FaultyStudy
from postgres_server import PostgresServer, free_port, why_not

_KEY = pytest.StashKey[FaultTable]()
_STARTED = time.monotonic()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_KEY] = FaultTable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.faults)
    items.sort(key=lambda item: item.path.stem == "test_totals")  # they count what all others did


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    table = config.stash[_KEY]
    if not table.rows:
        return
    lines = [*table.lines(), "", f"{time.monotonic() - _STARTED:.0f} s"]
    terminalreporter.section("faults injected against results lost")
    terminalreporter.write_line("\n".join(lines))
    out = config.rootpath / "bench" / "faults.md"
    out.parent.mkdir(exist_ok=True)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    terminalreporter.write_line(f"Table: {out}")


@pytest.fixture(scope="session")
def table(pytestconfig: pytest.Config) -> FaultTable:
    return pytestconfig.stash[_KEY]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    missing = why_not()
    if missing:
        pytest.skip(missing)
    server = PostgresServer()
    yield server
    server.close()


class Proxy:
    """A gRPC proxy in a process of its own, which can be killed and started again."""

    def __init__(self, place: Place) -> None:
        self._behind, self.port = place, free_port()
        self.start()

    def start(self) -> None:
        self._process = CONTEXT.Process(target=serve, args=(self._behind, self.port), daemon=True)
        self._process.start()
        Place("grpc", str(self.port)).open().wait_server_ready(30)  # type: ignore[attr-defined]

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


@pytest.fixture
def proxy(folder: Path) -> Iterator[Proxy]:
    pytest.importorskip("grpc", reason="needs grpcio: pip install grpcio protobuf")
    made = Proxy(Place("sqlite", f"sqlite:///{folder}/behind.db"))
    yield made
    made.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where nobody waits for a disk: what is tested is what is written, not how fast."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as made:
        yield Path(made)


@pytest.fixture
def place(request: pytest.FixtureRequest, folder: Path) -> Place:
    """A fresh storage of the kind that the test was parametrised with."""
    kind = request.param
    if kind == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        return Place(kind, server.fresh_database())
    if kind == "grpc":
        return Place(kind, str(request.getfixturevalue("proxy").port))
    return Place(kind, f"sqlite:///{folder}/study.db" if kind == "sqlite" else str(folder / "study.log"))


@pytest.fixture
def start_study(table: FaultTable, tmp_path: Path) -> Callable[[Place], FaultyStudy]:
    return lambda place: FaultyStudy(place, tmp_path / "ledger", table)
