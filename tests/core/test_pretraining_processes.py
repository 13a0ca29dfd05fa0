"""Two processes train as one does, a killed run ends as a whole one, and a corpus in files is the corpus."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from foretell.capture import nasbench201
from foretell.encoders import LaplacianSpectrum
from foretell.errors import CheckpointError, ForetellWarning, InvalidDataError
from foretell.pretraining.epoch_loop import EpochLoop
from foretell.pretraining.gennape import Gennape
from foretell.pretraining.graph_encoder import EncoderSettings, GraphEncoder
from foretell.pretraining.labelled_graphs import LabelledGraphs
from foretell.pretraining.member_votes import standard_scores
from foretell.pretraining.named_dropout import named_dropout
from foretell.pretraining.pretrain_gennape import PretrainGennape
from foretell.pretraining.pretrain_settings import PLANS, PretrainSettings
from foretell.pretraining.processes import Processes, joined_processes
from foretell.pretraining.sharded_graphs import ShardedGraphs
from foretell.pretraining.shuffled_rows import ShuffledRows

SHAPE = EncoderSettings(width=8, hops=2)
PLAN = {name: PLANS[name] for name in ("cl+fcm+t", "cl+pairwise")}
SETTINGS = PretrainSettings(
    encoder=SHAPE, plans=PLAN, projected=4, contrast_epochs=2, clusters=2, head_epochs=2, whole_epochs=1,
    pair_epochs=1, baseline_epochs=1, batch=16, baseline_batch=16, head_batch=16,
)  # fmt: skip


def some_networks(rows: np.ndarray) -> LabelledGraphs:
    """Cells drawn at random, with labels made up from FLOPs."""
    graphs = [nasbench201.graph(nasbench201.sample(np.random.default_rng(int(i))), cells=1) for i in rows]
    accuracy = 0.8 + 0.1 * np.tanh(np.array([g.flops for g in graphs]) / 2e7)
    return LabelledGraphs.build(graphs.__getitem__, accuracy, SHAPE, spectrum=LaplacianSpectrum(q=5))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 networks in files of 16."""
    folder = tmp_path_factory.mktemp("corpus")
    ShardedGraphs.build(folder, 60, some_networks, SHAPE, shard=16)
    return folder


def trained(corpus: Path, folder: Path, processes: Processes | None = None) -> dict[str, dict[str, float]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ForetellWarning)  # so small a run cannot but collapse
        return PretrainGennape(ShardedGraphs(corpus), SETTINGS, folder, processes=processes, minutes=0.0).run()[1]


def together(size: int, work: Callable[..., None], *given: Any) -> list[multiprocessing.Process]:
    """Processes of gloo on this machine, as torchrun would start them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork")  # what they need is imported already
    started = []
    for rank in range(size):
        told = {"RANK": rank, "WORLD_SIZE": size, "LOCAL_RANK": rank, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        started.append(context.Process(target=_joined, args=({k: str(v) for k, v in told.items()}, work, given)))
        started[-1].start()
    return started


def _joined(told: dict[str, str], work: Callable[..., None], given: tuple[Any, ...]) -> None:
    os.environ.update(told, CUDA_VISIBLE_DEVICES="")
    with joined_processes() as processes:
        work(processes, *given)


def ended(started: list[multiprocessing.Process]) -> list[int | None]:
    for process in started:
        process.join(60)
    return [process.exitcode for process in started]


def pretrained(processes: Processes, corpus: Path, folder: Path) -> None:
    trained(corpus, folder, processes)


def logs(folder: Path) -> dict[str, list[dict[str, float]]]:
    return {
        str(p.parent.relative_to(folder)): [json.loads(line) for line in p.read_text().splitlines()]
        for p in sorted(folder.rglob("log.jsonl"))
    }


@pytest.fixture(scope="module")
def alone(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone")
    trained(corpus, folder)
    return folder


def test_two_processes_train_as_one(corpus: Path, alone: Path, tmp_path: Path) -> None:
    assert ended(together(2, pretrained, corpus, tmp_path)) == [0, 0]
    one, two = logs(alone), logs(tmp_path)
    assert one.keys() == two.keys()
    assert len(one) == 1 + 1 + 2 + 2 + 1
    for name, lines in one.items():
        np.testing.assert_allclose(
            [line[k] for line in two[name] for k in ("loss", "spread") if k in line],
            [line[k] for line in lines for k in ("loss", "spread") if k in line], rtol=1e-4, err_msg=name,
        )  # fmt: skip
    graphs = ShardedGraphs(corpus).select(np.arange(60))
    scores = [
        standard_scores(Gennape.load(folder / "checkpoint").folded_scores(graphs.graphs, graphs.gflops))
        for folder in (alone, tmp_path)
    ]  # not the weights: no pair feels the last bias, so that Adam makes steps of its rounding
    np.testing.assert_allclose(scores[1], scores[0], atol=1e-3)


def killed(processes: Processes, corpus: Path, folder: Path, stage: str) -> None:
    """Dies by itself, as by `kill -9`, in the middle of an epoch of a stage."""
    import foretell.pretraining.epoch_loop as loop

    keep = loop.keep_state

    def dying(where: Path, module: nn.Module, adam: torch.optim.Adam, position: Any) -> None:
        keep(where, module, adam, position)
        if where.name == stage and position.step == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    loop.keep_state = dying
    trained(corpus, folder, processes)


@pytest.mark.parametrize("stage", ["contrast", "together-cl+pairwise"])
def test_a_killed_run_ends_as_a_whole_one(corpus: Path, alone: Path, tmp_path: Path, stage: str) -> None:
    assert ended(together(1, killed, corpus, tmp_path, stage)) == [-signal.SIGKILL]
    assert not (tmp_path / "checkpoint").exists()
    assert (tmp_path / stage / "state.safetensors").is_file()
    trained(corpus, tmp_path)
    assert logs(tmp_path) == logs(alone)
    for file in ("checkpoint/model.safetensors", "report.json"):
        assert (tmp_path / file).read_bytes() == (alone / file).read_bytes()


def test_a_corpus_in_files_is_the_corpus(corpus: Path) -> None:
    found, whole = ShardedGraphs(corpus, in_memory=2), some_networks(np.arange(60))
    assert len(found) == 60
    assert [len(rows) for rows in found.shards] == [16, 16, 16, 12]
    np.testing.assert_array_equal(found.accuracy, whole.accuracy)
    np.testing.assert_array_equal(found.gflops, whole.gflops)
    rows = np.array([59, 3, 17, 16, 3])
    a, b = found.select(rows), whole.select(rows)
    np.testing.assert_array_equal(a.spectra, b.spectra)
    torch.manual_seed(0)
    encoder = GraphEncoder(SHAPE)
    np.testing.assert_allclose(encoder.encode(a.graphs), encoder.encode(b.graphs), rtol=1e-6)


def test_a_half_built_corpus_is_completed_and_another_refused(corpus: Path, tmp_path: Path) -> None:
    built: list[int] = []

    def make(rows: np.ndarray) -> LabelledGraphs:
        built.append(len(rows))
        return some_networks(rows)

    ShardedGraphs.build(tmp_path, 6, make, SHAPE, shard=4)
    (tmp_path / "000001.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"000001.*cannot be read"):
        ShardedGraphs(tmp_path)
    assert len(ShardedGraphs.build(tmp_path, 6, make, SHAPE, shard=4)) == 6
    assert built == [4, 2, 2]
    with pytest.raises(CheckpointError, match="a corpus of other settings"):
        ShardedGraphs.build(tmp_path, 6, make, SHAPE, shard=5)
    with pytest.raises(CheckpointError, match="must be a folder of ours"):
        ShardedGraphs(tmp_path / "none")
    with pytest.raises(InvalidDataError, match="a corpus needs a network"):
        ShardedGraphs.build(tmp_path, 0, make, SHAPE)


def gathers(processes: Processes, folder: Path) -> None:
    """Each process has `rank + 1` rows, and the loss mixes all of them."""
    x = torch.arange(3.0)[processes.rank : 2 * processes.rank + 1, None]
    weight = nn.Parameter(torch.tensor([[2.0]]))
    rows = processes.gather(x @ weight)
    (rows[:, 0] * torch.tensor([1.0, 10.0, 100.0])).prod().backward()
    processes.add_gradients([weight])
    torch.manual_seed(processes.rank)
    other = torch.rand(2)
    processes.from_first([other])
    found = {"rows": rows.tolist(), "gradient": weight.grad.item(), "other": other.tolist()}
    (folder / f"{processes.rank}.json").write_text(json.dumps(found))


def test_gathered_rows_carry_the_gradient_of_the_whole(tmp_path: Path) -> None:
    assert ended(together(2, gathers, tmp_path)) == [0, 0]
    found = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)]
    assert found[0] == found[1]
    assert found[0]["rows"] == [[0.0], [2.0], [4.0]]
    weight = torch.tensor(2.0, requires_grad=True)
    (weight * torch.arange(3.0) * torch.tensor([1.0, 10.0, 100.0])).prod().backward()
    assert found[0]["gradient"] == weight.grad.item()


@given(seed=st.integers(0, 2**31), n=st.integers(1, 9), d=st.integers(1, 9), rate=st.floats(0.0, 0.99))
def test_dropout_by_name_is_that_of_the_row_wherever_it_stands(seed: int, n: int, d: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    names, order = rng.integers(0, 2**63, n).astype(np.uint64), rng.permutation(n)
    x = torch.from_numpy(rng.normal(size=(n, d)))
    whole = named_dropout(x, names, rate, torch.Generator().manual_seed(seed))
    part = named_dropout(x[order], names[order], rate, torch.Generator().manual_seed(seed))
    assert torch.equal(whole[order], part)


def test_dropout_by_name_loses_what_it_should_and_by_chance() -> None:
    generator = torch.Generator().manual_seed(0)
    names = np.arange(20_000, dtype=np.uint64)  # as unlike hashes as names can be
    masks = [named_dropout(torch.ones(20_000, 6), names, 0.1, generator) > 0 for _ in range(2)]
    columns = torch.cat(masks, dim=1).double()
    assert (columns.mean(dim=0) - 0.9).abs().max() < 4 * 0.3 / np.sqrt(20_000)
    correlation = torch.corrcoef(columns.T) - torch.eye(12)
    assert correlation.abs().max() < 5 / np.sqrt(20_000)
    neighbours = (columns[1:] - 0.9) * (columns[:-1] - 0.9) / 0.09
    assert neighbours.mean(dim=0).abs().max() < 5 / np.sqrt(20_000)
    kept = named_dropout(torch.ones(20_000, 6), names, 0.1, generator)
    assert float(kept.max()) == pytest.approx(1 / 0.9, rel=1e-5)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5), window=st.integers(1, 3), batch=st.integers(1, 12),
    epoch=st.integers(0, 3),
)  # fmt: skip
def test_an_epoch_sees_every_row_once_from_few_files_at_a_time(
    sizes: list[int], window: int, batch: int, epoch: int
) -> None:
    ends = np.cumsum(sizes)
    shards = tuple(np.arange(end - size, end) for size, end in zip(sizes, ends, strict=True))
    rows = ShuffledRows.among(np.random.default_rng(0).permutation(ends[-1]), shards)
    if len(sizes) > 1:
        rows = ShuffledRows(rows.shards, window)
    found = list(rows.batches(0, epoch, batch))
    assert sorted(np.concatenate(found).tolist()) == list(range(ends[-1]))
    lengths = [len(part) for part in found]
    assert len(found) == rows.steps(batch) == -(-int(ends[-1]) // batch)
    assert max(lengths) - min(lengths) <= 1
    files = [np.searchsorted(ends, part, side="right") for part in found]
    for part in files:  # a batch touches the files of as many windows as it needs, no more
        assert len(np.unique(part)) <= window * (1 + -(-batch // (window * min(sizes))))
    assert all(np.array_equal(a, b) for a, b in zip(found, rows.batches(0, epoch, batch), strict=True))
    assert ends[-1] < 12 or not np.array_equal(np.concatenate(found), np.concatenate([*rows.batches(0, 9, batch)]))


def test_what_does_not_fit_together_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="a batch needs a network for each process, but 1 are divided among 2"):
        Processes(0, 2).part(np.arange(1))
    with pytest.raises(InvalidDataError, match="shuffling needs rows"):
        ShuffledRows((np.arange(3),), window=0)
    for told, match in (({"RANK": "2", "WORLD_SIZE": "2"}, "RANK < WORLD_SIZE"), ({"RANK": "x"}, "whole number")):
        with monkeypatch.context() as patch:
            for name, value in told.items():
                patch.setenv(name, value)
            with pytest.raises(InvalidDataError, match=match), joined_processes():
                pass


@pytest.mark.parametrize("told", [{}, {"position": "[]"}, {"position": '{"log": 1, "step": 0, "total": 0.0}'}])
def test_a_state_without_its_place_is_refused(tmp_path: Path, told: dict[str, str]) -> None:
    from safetensors.torch import load_file, save_file

    def learn(epochs: int) -> None:
        module = nn.Linear(1, 1)
        EpochLoop(epochs, 2).run(module, np.arange(4), lambda rows, _: module(torch.ones(4, 1)).sum(), tmp_path)

    learn(1)
    save_file(load_file(tmp_path / "state.safetensors"), tmp_path / "state.safetensors", told or None)
    with pytest.raises(CheckpointError, match="of the same settings"):
        learn(2)


def _joined_late(told: dict[str, str], late: float) -> None:
    os.environ.update(told, CUDA_VISIBLE_DEVICES="")
    time.sleep(late)
    with joined_processes() as processes:
        processes.wait()
        os._exit(0)  # as one that is killed: what it told the others stays in the store


def test_those_started_again_do_not_look_for_those_before() -> None:
    """torchrun's agent keeps one store for all its attempts."""
    store = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    context = multiprocessing.get_context("fork")
    for attempt, first in ((0, 0), (1, 0), (2, 1)):
        started = []
        for rank in (0, 1):
            told = {
                "RANK": rank, "WORLD_SIZE": 2, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": store.port, "TORCHELASTIC_USE_AGENT_STORE": True, "TORCHELASTIC_RESTART_COUNT": attempt,
            }  # fmt: skip
            given = ({k: str(v) for k, v in told.items()}, 0.3 * (rank != first))
            started.append(context.Process(target=_joined_late, args=given, daemon=True))
            started[-1].start()
        assert ended(started) == [0, 0]


def starter(folder: Path, data: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts the command itself on a small part of the real table, by a launcher or alone."""
    script = folder / "small.py"
    script.write_text(
        "from dataclasses import replace\n"
        "from foretell.pretraining.pretrain_settings import PRETRAIN_SETTINGS as s\n"
        "from foretell_plugins.cli import main\n"
        "epochs = {f'{name}_epochs': 2 for name in ('contrast', 'head', 'whole', 'pair', 'baseline')}\n"
        "w = s['gennape-nb101']\n"
        "s['gennape-nb101'] = replace(w, encoder=replace(w.encoder, width=8, hops=2), projected=4, **epochs)\n"
        "main()\n"
    )
    environment = {**os.environ, "FORETELL_DATA": str(data), "CUDA_VISIBLE_DEVICES": ""}

    def start(out: str, *launcher: str) -> subprocess.Popen[bytes]:
        arguments = ["pretrain", "gennape-nb101", "--networks", "200", "--shard", "64", "--minutes", "0"]
        command = [sys.executable, *launcher, str(script), *arguments, "--out", str(folder / out / "run")]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return start


def assert_losses_agree(one: Path, two: Path) -> None:
    expected, found = logs(one), logs(two)
    assert {n: len(lines) for n, lines in expected.items()} == {n: len(lines) for n, lines in found.items()}
    for name, lines in expected.items():
        losses = [x.get("loss", 0) for x in lines]
        np.testing.assert_allclose([x.get("loss", 0) for x in found[name]], losses, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.skipif("FORETELL_COMPLETE" not in os.environ, reason="a minute: set FORETELL_COMPLETE")
def test_torchrun_starts_a_killed_run_again_which_ends_as_one_process(tmp_path: Path, foretell_data: Path) -> None:
    """One of two workers is killed."""
    start = starter(tmp_path, foretell_data)
    assert start("one").wait(200) == 0
    options = ("--standalone", "--nproc-per-node", "2", "--max-restarts", "1")
    launcher = start("two", "-m", "torch.distributed.run", *options)
    state = tmp_path / "two" / "run" / "contrast" / "state.safetensors"
    began = time.monotonic()
    while not state.is_file() and time.monotonic() - began < 120:
        time.sleep(0.02)
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    assert len(children) == 2
    os.kill(int(children[1]), signal.SIGKILL)
    assert launcher.wait(200) == 0  # it started both again
    assert_losses_agree(tmp_path / "one" / "run", tmp_path / "two" / "run")


@pytest.mark.slow
@pytest.mark.skipif("FORETELL_COMPLETE" not in os.environ, reason="a minute: set FORETELL_COMPLETE")
@pytest.mark.skipif(not find_spec("accelerate"), reason="accelerate is not installed")
def test_accelerate_starts_two_processes_that_end_as_one(tmp_path: Path, foretell_data: Path) -> None:
    """Without GPUs, where accelerate's option for several processes is called --multi_gpu none the less."""
    start = starter(tmp_path, foretell_data)
    assert start("one").wait(200) == 0
    options = ("--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no")
    launcher = start("two", "-m", "accelerate.commands.launch", *options, "--dynamo_backend", "no")
    workers: set[str] = set()
    while launcher.poll() is None:
        children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children")
        workers |= set(children.read_text().split()) if children.exists() else set()
        time.sleep(0.1)
    assert launcher.returncode == 0
    assert len(workers) >= 2
    assert_losses_agree(tmp_path / "one" / "run", tmp_path / "two" / "run")
