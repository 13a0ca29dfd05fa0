"""`foretell demo`, the bench command and the example, run as a user runs them."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest

from foretell.benchmarks import digits
from foretell_adapters.optuna import demo
from foretell_plugins.cli import main

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def foretell(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from foretell_plugins.cli import main; main()", *arguments]


def finished(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Number and value of every finished trial, by study."""
    storage = f"sqlite:///{folder / 'studies.sqlite3'}"
    found = {}
    for summary in optuna.get_all_study_summaries(storage):
        study = optuna.load_study(study_name=summary.study_name, storage=storage)
        found[summary.study_name] = [(t.number, t.value) for t in study.trials if t.value is not None]
    return found


def count_finished(file: Path) -> int:
    """Finished trials so far; 0 while the file or its tables are being made, in which a reader must not join."""
    if not file.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
        try:
            return int(reader.execute("SELECT COUNT(*) FROM trials WHERE state = 'COMPLETE'").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def others_trained(folder: Path, method: str, n: int) -> None:
    """Bring a study to so many trials as if others had trained them; the test itself trains those of one method."""
    url, sampler = f"sqlite:///{folder / 'studies.sqlite3'}", demo.sampler_of("random", 7)
    study = optuna.create_study(study_name=f"{method}-0", storage=url, sampler=sampler, load_if_exists=True)
    for _ in range(n - len(finished(folder)[f"{method}-0"])):
        trial = study.ask()
        config = demo.suggest(trial, digits.SPACE)
        for name, value in (("accuracy", 0.9), ("suggest_seconds", 0.1), ("train_seconds", 1.0)):
            trial.set_user_attr(name, value)
        study.tell(trial, 0.3 + config["dropout"])


@pytest.mark.slow
def test_the_demo_resumes_after_an_interruption_and_ends_with_table_and_report(tmp_path: Path) -> None:
    command = foretell("demo", "--folder", str(tmp_path), "--seeds", "1", "--trials", "12", "--jobs", "2")
    first = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored in jobs that a shell put behind it
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and count_finished(tmp_path / "studies.sqlite3") < 3:
        time.sleep(0.3)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=60)
    assert first.returncode == 130, said
    assert "run the same command again to go on" in said
    for method in ("tpe", "random"):
        others_trained(tmp_path, method, 11)
    before = finished(tmp_path)

    second = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=280)
    assert second.returncode == 0, second.stderr
    after = finished(tmp_path)
    assert {name: len(trials) for name, trials in after.items()} == {"foretell-0": 12, "tpe-0": 12, "random-0": 12}
    for name, trials in before.items():
        assert trials == after[name][: len(trials)]
    assert [line.split()[0] for line in second.stdout.splitlines()[:4]] == ["method", "foretell", "tpe", "random"]
    assert "Kendall tau" in second.stdout

    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.count("<svg") == 4
    assert not re.search(r"(src|href)=[\"']https?:", page)
    assert 'lang="en"' in page


def test_the_bench_writes_rows_resumes_and_plots(tmp_path: Path) -> None:
    out = tmp_path / "latency.jsonl"
    arguments = ["bench", "latency", "--quick", "--seeds", "1", "--methods", "random,foretell", "--out", str(out)]
    first = subprocess.run(foretell(*arguments), capture_output=True, text=True, env=ENVIRONMENT, timeout=120)
    assert first.returncode == 0, first.stderr
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    keys = {"bench", "method", "family", "task", "n", "seed", "metric", "value", "unit", "version"}
    assert all(set(row) == keys for row in rows)
    assert {row["method"] for row in rows} == {"random", "foretell"}
    assert all(row["value"] > 0 for row in rows)
    assert out.with_suffix(".svg").exists()
    out.write_text(out.read_text("utf-8") + '{"bench": "lat', encoding="utf-8")  # torn by an interruption
    main(arguments)
    assert [json.loads(line) for line in out.read_text("utf-8").splitlines()] == rows


def test_the_bench_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "nothing"])
    assert ended.value.code == 1
    said = capsys.readouterr().err
    found = re.fullmatch(r"foretell: a benchmark must be one of (\[.*\]), but got 'nothing': choose one\n", said)
    assert found is not None
    named = ast.literal_eval(found[1])
    assert named == sorted(named)
    assert {"capture", "coverage", "few-shot", "latency"} <= set(named)
