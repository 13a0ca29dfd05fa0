"""Readers of the benchmarks' own files, on small files in the same form; hostile and damaged ones are refused."""

from __future__ import annotations

import base64
import bz2
import contextlib
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.benchmarks import official, tables
from foretell.benchmarks.official.plain_pickle import read_pickle
from foretell.benchmarks.official.tfrecord import masked_crc32c, records
from foretell.benchmarks.official.torch_file import read_torch
from foretell.capture import nasbench101, nasbench201, nasbench301, transnasbench101
from foretell.errors import InvalidDataError

ATOMS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text() | st.binary()
PLAIN = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(ATOMS | st.tuples(st.text(), st.integers()), inner)
        | st.sets(st.integers())
    ),
)
PROTOCOLS = st.integers(2, pickle.HIGHEST_PROTOCOL)


# plain data out of pickles


@settings(max_examples=50)
@given(PLAIN, PROTOCOLS)
def test_plain_data_is_read_as_python_reads_it(value: Any, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    found, end = read_pickle(b"before" + data + b"after", 6)
    assert found == value
    assert repr(found) == repr(pickle.loads(data))
    assert end == 6 + len(data)


@settings(max_examples=30)
@given(PROTOCOLS, st.sampled_from(["f2", "f4", "f8", "i1", "i4", "i8", "u2", "b1", ">f8", ">i4"]))
def test_scalars_of_numpy_are_numbers_and_ordered_dictionaries_dictionaries(protocol: int, kind: str) -> None:
    value = np.dtype(kind).type(1.0) if kind[0] != ">" else np.array([7], kind)[0]
    data = pickle.dumps(OrderedDict(a=value, b=[value]), protocol)
    assert read_pickle(data)[0] == {"a": value.item(), "b": [value.item()]}
    if protocol < 4:  # later ones name modules by length
        assert read_pickle(data.replace(b"numpy._core", b"numpy.core"))[0]["a"] == value


class Runs:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("echo hacked > hacked",)


class Sets:
    def __init__(self) -> None:
        self.state = 1


DEEP = b"\x80\x02)" + b"\x85" * 200_000 + b"}q\x00h\x00"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps(Runs(), 2), f"asks for {os.name}.system"),
        (pickle.dumps([1, Runs()]), f"asks for {os.name}.system"),
        (pickle.dumps(Sets()), "Sets"),
        (pickle.dumps(eval, 2), "asks for __builtin__.eval"),
        (pickle.dumps(eval), r"asks for builtins\.eval"),
        (pickle.dumps(np.arange(3)), "_reconstruct"),
        (pickle.dumps(np.dtype("O")), "numpy type other than"),
        (pickle.dumps([1], 0), "opcode b'l'"),
        (b"\x80\x02U\x01a.", "opcode b'U'"),
        (b"\x80\x02\x82\x01.", r"opcode b'\\x82'"),  # a class by number
        (b"\x80\x02Q.", "opcode b'Q'"),  # a tensor's storage
        (b"\x80\x02}R.", "breaks at byte"),
        (b"\x80\x02ccollections\nOrderedDict\n])\x86]\x86R.", "breaks at byte"),
        (b"\x80\x02K\x01K\x02R.", "nothing to call"),
        (b"\x80\x02ccollections\nOrderedDict\n}b.", "no _DType to fill"),  # attributes of a class
        (b"\x80\x02}}K\x01s.", "breaks at byte"),
        (b"\x80\x02](}e}h\x09.", "breaks at byte"),
        (b"\x80\x02}])\x86K\x01s.", "no plain value"),
        (DEEP + b")" + b"\x85" * 10 + b"K\x01s.", "no plain value"),  # whose hash would overflow the stack
        (b"\x80\x02X\xff\xff\xff\xffa.", "cut off"),  # more than the file has
        (b"\x80\x02r\xff\xff\xff\xff.", "breaks at byte"),  # a memo of 32 GiB elsewhere
        (b"", "breaks at byte"),
        (b"\x80\x02.", "breaks at byte"),
    ],
)
def test_all_else_is_refused_and_nothing_runs(
    data: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidDataError, match=message):
        read_pickle(data)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=50)
@given(PLAIN, PROTOCOLS, st.data())
def test_damaged_pickles_raise_our_error_alone(value: Any, protocol: int, draw: st.DataObject) -> None:
    data = bytearray(pickle.dumps([value, np.float64(0.5), value], protocol))
    with pytest.raises(InvalidDataError):
        read_pickle(bytes(data[: draw.draw(st.integers(0, len(data) - 1))]))
    for _ in range(draw.draw(st.integers(1, 5))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    with contextlib.suppress(InvalidDataError):
        read_pickle(bytes(data))


# files of torch


@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_torch_in_both_containers(tmp_path: Path, zipped: bool) -> None:
    path, value = tmp_path / "table.pth", {"a": [0.5, (1, "b")], "c": OrderedDict(d=np.float64(2))}
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    assert read_torch(path) == {"a": [0.5, (1, "b")], "c": {"d": 2.0}}
    torch.save({"a": torch.ones(2)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InvalidDataError, match="_rebuild_tensor"):
        read_torch(path)
    torch.save(Runs(), path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InvalidDataError, match="system"):
        read_torch(path)
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for n in (0, 5, 40, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:n])
        with pytest.raises(InvalidDataError, match="must be"):
            read_torch(path)


def test_other_files_are_no_files_of_torch(tmp_path: Path) -> None:
    path = tmp_path / "table.pth"
    with pytest.raises(InvalidDataError, match="must be a file with data"):
        read_torch(path)
    path.write_bytes(pickle.dumps(1) * 4)
    with pytest.raises(InvalidDataError, match=r"that torch\.save wrote"):
        read_torch(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.txt", "1")
    with pytest.raises(InvalidDataError, match=r"one data\.pkl"):
        read_torch(path)


# NAS-Bench-101


def varint(value: int) -> bytes:
    low = b""
    while value > 0x7F:
        low, value = low + bytes([value & 0x7F | 0x80]), value >> 7
    return low + bytes([value])


def model_metrics(validation: float, test: float) -> bytes:
    """Three evaluations, the parameters as a varint, the total time."""
    parts = b""
    for share in (0.1, 0.5, 1.0):
        numbers = {1: 108 * share, 2: 60.0, 3: 1.0, 4: validation * share, 5: test * share}
        inside = b"".join(varint(field << 3 | 1) + struct.pack("<d", value) for field, value in numbers.items())
        inside += varint(6 << 3 | 2) + varint(3) + b"a/b"
        parts += varint(1 << 3 | 2) + varint(len(inside)) + inside
    return parts + varint(2 << 3) + varint(8_555_530) + varint(3 << 3 | 1) + struct.pack("<d", 1.5)


def framed(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc32c(length)) + data + struct.pack("<I", masked_crc32c(data))


def row(spec: Any, validation: float, test: float, epochs: int = 108) -> bytes:
    matrix, ops = spec
    digits = "".join(str(int(digit)) for digit in np.asarray(matrix).ravel())
    metrics = base64.b64encode(model_metrics(validation, test)).decode()
    name = nasbench101.fingerprint(matrix, ops).hex()
    return framed(json.dumps([name, epochs, digits, ",".join(ops), metrics]).encode())


def test_checksum_is_castagnolis() -> None:
    crc = 0xE3069283  # of "123456789", RFC 3720
    assert masked_crc32c(b"123456789") == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def test_nasbench101_is_read_from_tfrecord(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    drawn = {nasbench101.fingerprint(*spec): spec for spec in (nasbench101.sample(rng) for _ in range(20))}
    specs = [drawn[name] for name in sorted(drawn)][:5]
    path, whole = tmp_path / "nasbench_full.tfrecord", b""
    for repeat in (-0.01, 0.0, 0.01):
        for i in (3, 1, 0, 4, 2):
            whole += row(specs[i], 0.5 + repeat, 0.6 + i / 10 + repeat)
            whole += row(specs[i], 0.1, 0.1, epochs=36)
    path.write_bytes(whole)
    table = official.load_nasbench101(path)
    assert list(table.specs) == [(np.asarray(m).tolist(), list(ops)) for m, ops in specs]
    np.testing.assert_allclose(table.targets["test_acc"], 0.6 + np.arange(5) / 10)
    np.testing.assert_allclose(table.targets["val_acc"], 0.5)
    assert table.candidate(2).graph == nasbench101.graph(*specs[2])
    path.write_bytes(whole[:-3])
    with pytest.raises(InvalidDataError, match="cut off at byte"):
        official.load_nasbench101(path)
    path.write_bytes(whole[:-100] + whole[-90:])
    with pytest.raises(InvalidDataError, match="cut off|checksums"):
        official.load_nasbench101(path)


def test_what_is_no_table_of_nasbench101_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.tfrecord"
    spec = ([[0, 1], [0, 0]], ["input", "output"])
    for data, message in (
        (b"nothing of the kind", "lengths with their checksums"),
        (framed(b"[1, 2]"), "record 0"),
        (framed(json.dumps(["a", 108, "0100", "input,output", "AAAA"]).encode()), "record 0"),
        (framed(json.dumps(["a", 108, "0100", "input,output", base64.b64encode(b"\x0a\x7f").decode()]).encode()), "no"),
        (row(spec, 0.5, 0.5, epochs=4), "runs of 108 epochs"),
        (row(spec, 0.5, 0.5).replace(b"input,output", b"input,latent"), "those of NAS-Bench-101"),
    ):
        path.write_bytes(data)
        with pytest.raises(InvalidDataError, match=message):
            official.load_nasbench101(path)
    path.write_bytes(framed(b"a") + framed(b"bc"))
    assert list(records(path)) == [b"a", b"bc"]


# NAS-Bench-201


def arch_of(digits: tuple[int, ...]) -> str:
    ops = dict(zip(nasbench201.EDGES, (nasbench201.OPERATIONS[d] for d in digits), strict=True))
    return "+".join("|" + "".join(f"{ops[s, t]}~{s}|" for s in range(t)) for t in (1, 2, 3))


def results(i: int) -> dict[str, Any]:
    """A cell's runs of two epochs, as the benchmark's state dictionaries."""
    runs = {}
    for name, parts in (
        ("cifar10-valid", ("x-valid", "ori-test")), ("cifar10", ("ori-test",)), ("cifar100", ("x-valid", "x-test")),
        ("ImageNet16-120", ("x-valid", "x-test")),
    ):  # fmt: skip
        for seed in (777, 888):
            acc = {f"{part}@{epoch}": 10.0 * epoch + i + seed / 1000 for part in parts for epoch in (0, 1)}
            arch = OrderedDict(channel=16, num_cells=5)
            runs[name, seed] = {"name": "infer", "epochs": 2, "eval_acc1es": acc, "params": np.float64(1.0),
                                "net_state_dict": None, "arch_config": arch}  # fmt: skip
    return {"arch_index": i, "all_results": runs, "dataset_seed": {}, "clear_net_done": True}


@pytest.fixture
def cells() -> list[tuple[int, ...]]:
    rng = np.random.default_rng(1)
    return [nasbench201.sample(rng) for _ in range(4)]


def check_201(table: tables.Table, cells: list[tuple[int, ...]]) -> None:
    assert table.specs == cells
    assert set(table.targets) == {"cifar10", "cifar100", "imagenet16", "cifar10_valid"}
    for values in table.targets.values():
        np.testing.assert_allclose(values, 10.0 + np.arange(4) + (0.777 + 0.888) / 2)
    assert table.candidate(1).graph == nasbench201.graph(cells[1])


def nats_folder(folder: Path, cells: list[tuple[int, ...]]) -> Path:
    folder.mkdir()
    meta = {"meta_archs": list(map(arch_of, cells)), "arch2infos": None, "evaluated_indexes": set()}
    (folder / "meta.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(meta, 4)))
    for i in range(len(cells)):
        content = OrderedDict({"12": results(-50), "200": results(i)})
        (folder / f"{i:06d}.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(content, 4)))
    return folder


def test_nasbench201_is_read_from_the_folder_of_nats_bench(tmp_path: Path, cells: list[tuple[int, ...]]) -> None:
    folder = nats_folder(tmp_path / "NATS-tss-v1_0-3ffb9-simple", cells)
    check_201(official.load_nasbench201(folder), cells)
    part = folder / "000002.pickle.pbz2"
    whole = part.read_bytes()
    for data, message in (
        (whole[:-20], "must be whole"), (b"BZ", "must be whole"), (b"no", "compressed by bz2"),
        (bz2.compress(b"\x80"), "breaks at byte"), (bz2.compress(pickle.dumps({"12": {}})), "hold its cells"),
        (bz2.compress(pickle.dumps(Runs())), "system"), (bz2.compress(bytes(2**26 + 1)), "at most"),
    ):  # fmt: skip
        part.write_bytes(data)
        with pytest.raises(InvalidDataError, match=message):
            official.load_nasbench201(folder)
    part.unlink()
    with pytest.raises(InvalidDataError, match=r"lacks 1, 000002\.pickle\.pbz2 first"):
        official.load_nasbench201(folder)


def test_nasbench201_is_read_from_its_elder_file(tmp_path: Path, cells: list[tuple[int, ...]]) -> None:
    path = tmp_path / "NAS-Bench-201-v1_1-096897.pth"
    infos = {i: {"less": results(-50), "full": results(i)} for i in range(4)}
    content = {"meta_archs": list(map(arch_of, cells)), "arch2infos": infos, "evaluated_indexes": {0, 1, 2, 3}}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    check_201(official.load_nasbench201(path), cells)
    torch.save({**content, "meta_archs": ["|other~0|"]}, path)
    with pytest.raises(InvalidDataError, match="hold its cells"):
        official.load_nasbench201(path)


def test_nasbench201_is_read_from_the_file_of_naslib(tmp_path: Path, cells: list[tuple[int, ...]]) -> None:
    path = tmp_path / "nb201_cifar10_full_training.pickle"
    entry = {"train_losses": [1.0], "cost_info": {"flops": np.float64(1.0), "latency": 0.1}}
    content = {
        arch_of(cell): {"cifar10-valid": {**entry, "eval_acc1es": [5.0, 50.0 + i]}} for i, cell in enumerate(cells)
    }
    path.write_bytes(pickle.dumps(content))
    table = official.load_nasbench201(path)
    assert table.specs == cells
    assert {name: values.tolist() for name, values in table.targets.items()} == {"cifar10-valid": [50, 51, 52, 53]}
    for data, message in ((pickle.dumps({}), "hold its cells"), (pickle.dumps(Runs()), "system"), (b"", "breaks")):
        path.write_bytes(data)
        with pytest.raises(InvalidDataError, match=message):
            official.load_nasbench201(path)
    with pytest.raises(InvalidDataError, match="a file or a folder"):
        official.load_nasbench201(tmp_path / "none.pickle")


# TransNAS-Bench-101


def test_transnasbench101_is_read_from_its_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    specs, path = [transnasbench101.sample(rng) for _ in range(3)], tmp_path / "transnas-bench_v10141024.pth"

    def metrics(**values: list[float]) -> dict[str, Any]:
        return {"model_info": {"encoder_params": 1}, "metrics": values, "total_epochs": 2}

    micro = {
        "64-41414-{}_{}{}_{}{}{}".format(*spec): {
            "room_layout": metrics(valid_neg_loss=[-0.8, -0.7 - i]),
            "class_scene": metrics(valid_top1=[50.0 + i, 40.0], test_top1=[1.0, 2.0]),
            "autoencoder": metrics(valid_ssim=[0.1, 0.2 + i]),
        }
        for i, spec in enumerate(specs)
    }
    content = {"data": {"macro": {"64-1234-basic": {}}, "micro": micro}, "task_list": ["class_scene"]}
    torch.save(content, path)
    table = official.load_transnasbench101(path)
    assert table.specs == specs
    assert {name: values.tolist() for name, values in table.targets.items()} == {
        "class_scene": [50.0, 51.0, 52.0], "room_layout": [-0.7, -0.8, -0.8], "autoencoder": [0.2, 1.2, 2.2],
    }  # fmt: skip
    assert table.candidate(0).cells == transnasbench101.cells(specs[0])
    for wrong in ({}, {"data": {"micro": {}}}, {"data": {"micro": {"64-41414-9_00_000": {}}}}, [1]):
        torch.save(wrong, path)
        with pytest.raises(InvalidDataError, match="micro cells and their metrics"):
            official.load_transnasbench101(path)


# the data folder


def test_tables_come_from_the_benchmarks_own_file_where_ours_is_absent(
    tmp_path: Path, cells: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETELL_DATA", str(tmp_path))
    (tmp_path / "nasbench201").mkdir()
    nats_folder(tmp_path / "nasbench201" / "NATS-tss-v1_0-3ffb9-simple", cells)
    check_201(tables.TABLES["nasbench201"](), cells)
    (tmp_path / "nasbench201" / "nb201.parquet").write_bytes(b"ours")
    with pytest.raises(pyarrow.ArrowInvalid):  # which is read if it is there
        tables.TABLES["nasbench201"]()


# NAS-Bench-301


def result_301(spec: Any, val: float, test: float, layers: int = 8) -> dict[str, Any]:
    prefix = "NetworkSelectorDatasetInfo:darts:"
    config: dict[str, Any] = {f"{prefix}layers": layers, f"{prefix}init_channels": 32}
    config["SimpleLearningrateSchedulerSelector:cosine_annealing:T_max"] = 100
    for kind, cell in zip(("normal", "reduce"), spec, strict=True):
        edge = 0
        for node in range(4):
            two = cell[2 * node : 2 * node + 2]
            if node:
                config[f"{prefix}inputs_node_{kind}_{node + 2}"] = "_".join(str(source) for source, _ in two)
            config |= {f"{prefix}edge_{kind}_{edge + source}": op for source, op in two}
            edge += node + 2
    return {"optimized_hyperparamater_config": config, "info": [{"val_accuracy": val}], "test_accuracy": test}


def test_nasbench301_is_read_from_its_folder(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    specs = [nasbench301.sample(rng) for _ in range(3)]
    for i, spec in enumerate(specs):
        path = tmp_path / f"run_{i}" / "results_fidelity_0" / "results_0.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(result_301(spec, 90.0 + i, 89.0 + i)), encoding="utf-8")
    table = official.load_nasbench301(tmp_path)
    assert table.specs == specs
    assert table.targets["val_acc"].tolist() == [90, 91, 92]
    assert table.targets["test_acc"].tolist() == [89, 90, 91]
    assert table.candidate(0).graph == nasbench301.graph(specs[0])
    path.write_text(json.dumps(result_301(specs[0], 1, 1, layers=20)), encoding="utf-8")
    with pytest.raises(InvalidDataError, match="one number of layers"):
        official.load_nasbench301(tmp_path)
    for text in ("{", "{}", "[]"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InvalidDataError, match="a configuration and its accuracies"):
            official.load_nasbench301(tmp_path)
    with pytest.raises(InvalidDataError, match="no such file"):
        official.load_nasbench301(tmp_path / "none")
