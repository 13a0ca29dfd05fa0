"""Damages many files and reads them: `python tests/fuzz/run.py --files 10000`.

A file is refused with an error of ours, or read and used; any other error, five seconds of computing, or much memory
is a failure. File i of a reader is the same in every run, so that one can be seen again: `--reader NAME --seed i`.
"""

from __future__ import annotations

import logging
import random
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent))
from readers import READERS, Reader

from foretell.errors import ForetellError

MOST_SECONDS = 5.0
MOST_MEMORY = 400 * 2**20
ADDRESSES = 12 * 2**30


@dataclass
class Outcome:
    """What became of a reader's files."""

    files: int = 0
    refused: int = 0
    slowest: float = 0.0
    grown: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)


def run(reader: Reader, seeds: range | list[int], folder: Path) -> Outcome:
    """Damage and read the files with these numbers."""
    outcome = Outcome()
    with warnings.catch_warnings(), _only_errors("foretell_adapters"):
        warnings.simplefilter("ignore")
        case = reader.prepare(folder)
        case_before = _most_memory()
        for seed in seeds:
            began = time.process_time()
            try:
                case(random.Random(f"{reader.name}/{seed}"))
            except ForetellError:
                outcome.refused += 1
            except Exception as e:  # noqa: BLE001 - what must not be
                where = traceback.extract_tb(e.__traceback__)[-1]
                outcome.failures.append(
                    (seed, f"{type(e).__name__}: {e!s:.150} ({Path(where.filename).name}:{where.lineno})")
                )
            spent = time.process_time() - began
            outcome.slowest = max(outcome.slowest, spent)
            outcome.files += 1
            if spent > MOST_SECONDS:
                outcome.failures.append((seed, f"took {spent:.1f} s of computing"))
    outcome.grown = _most_memory() - case_before
    if outcome.grown > MOST_MEMORY:
        outcome.failures.append((-1, f"memory grew by {outcome.grown >> 20} MiB"))
    return outcome


@contextmanager
def _only_errors(name: str) -> Iterator[None]:
    """Meanwhile that logger says no less."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _most_memory() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def files_of(total: int) -> dict[str, int]:
    """How many files each reader gets."""
    whole = sum(reader.share for reader in READERS)
    return {reader.name: max(1, -(-int(total * reader.share * 1000) // int(whole * 1000))) for reader in READERS}


@click.command()
@click.option("--files", default=10_000, show_default=True, help="Files in all.")
@click.option("--reader", "only", default="", help="Only readers whose name has this in it.")
@click.option("--seed", default=None, type=int, help="Only this file.")
def main(files: int, only: str, seed: int | None) -> None:
    """Damage files and read them; exit code 1 if one was neither refused nor read."""
    click.echo(f"{'kind':18}{'what is read':34} files  refused  read  failures  slowest ms   MiB")
    counts, total, failed = files_of(files), 0, []
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    if most == resource.RLIM_INFINITY or most > ADDRESSES:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, most))  # what wants more fails here, not the machine
    for reader in READERS:
        if only not in reader.name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            seeds = range(counts[reader.name]) if seed is None else [seed]
            found = run(reader, seeds, Path(folder))
        total += found.files
        failed += [(reader.name, *failure) for failure in found.failures]
        click.echo(
            f"{reader.kind:18}{reader.name:34}{found.files:6}{found.refused:9}"
            f"{found.files - found.refused - len(found.failures):6}{len(found.failures):10}{1000 * found.slowest:12.0f}"
            f"{found.grown >> 20:6}"
        )
    click.echo(f"{total} files, {len(failed)} failures, {time.process_time():.0f} s of computing")
    for name, number, why in failed:
        click.echo(f"  {name} {number}: {why}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
