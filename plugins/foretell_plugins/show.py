"""`foretell show`: what a network is made of, as a table and as a drawing."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from foretell.candidate import Candidate
from foretell.capture.families import FAMILIES
from foretell.errors import InvalidArchitectureError, PluginError
from foretell.graph import ComputationGraph
from foretell_plugins.completion import complete_model
from foretell_plugins.json_option import json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

_LARGEST_GRAPH = 2**28  # bytes; a graph of a million nodes
_TYPES = ("float32", "float16", "bfloat16", "int64", "int32", "bool")


@click.command()
@click.argument("model", shell_complete=complete_model)
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="Shape of an example input with its batch, "
              "such as 1,3,32,32 or 1,128:int64; once for each input, in order.")  # fmt: skip
@json_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None,
              help="The drawing, .svg or .html; by default an .svg named after MODEL.")  # fmt: skip
@click.option("--no-drawing", is_flag=True, help="Only print.")
def show(model: str, inputs: tuple[str, ...], as_json: bool, out: Path | None, no_drawing: bool) -> None:
    """Print a summary of MODEL and draw it, repeated blocks folded.

    MODEL is an ONNX file, a graph that `foretell search` wrote (.npz), `package.module:callable` (run to get a module
    or a graph; looked for in this folder too), or a specification such as 'nasbench201:|nor_conv_3x3~0|+...' or
    'nasbench_macro:02012100'.
    """
    if out is not None and out.suffix not in {".svg", ".html"}:
        msg = f"a drawing is an .svg or an .html file, but got {str(out)!r}: choose one of these endings"
        raise PluginError(msg)
    graph = read_model(model, inputs)
    if no_drawing:
        out = None
    elif out is None:
        out = Path(re.sub(r"[^A-Za-z0-9]+", "_", Path(model).stem).strip("_")[:60] or "network").with_suffix(".svg")
    if out is not None:
        from foretell.drawing import to_html, to_svg

        draw = to_html(graph, model) if out.suffix == ".html" else to_svg(graph, model, folded=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(draw, encoding="utf-8")
    summary: dict[str, Any] = {
        "model": model, "nodes": len(graph), "edges": len(graph.edges), "params": graph.params, "flops": graph.flops,
        "depth": graph.depth, "ops": graph.op_counts(), "digest": graph.digest,
        "drawing": None if out is None else str(out),
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(summary, indent=1))
        return
    for name in ("nodes", "edges", "params", "flops", "depth"):
        click.echo(f"{name:10}{summary[name]:>18,}")
    for name, count in sorted(graph.op_counts().items(), key=lambda item: (-item[1], item[0])):
        click.echo(f"  {name:16}{count:>10,}")
    click.echo(f"{'digest':10}{graph.digest}")
    if out is not None:
        click.echo(f"Drawing: {out}")


def read_model(model: str, inputs: Sequence[str] = ()) -> ComputationGraph:
    """The graph of what a person named on the command line, see `show`.

    Raises:
        ForetellError: If it names nothing that can be read; other errors of the user's code are named in it.
    """
    family, _, text = model.partition(":")
    if family in FAMILIES:
        return FAMILIES[family].read(text)
    if model.endswith(".npz"):
        return _stored(Path(model))
    if model.endswith(".onnx") or Path(model).is_file():
        return ComputationGraph.from_onnx(model)
    if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", model):
        return _from_callable(model, [_example(shape) for shape in inputs])
    msg = (
        f"a model must be an ONNX file, `package.module:callable`, or one of {list(FAMILIES)} with a specification, "
        f"but got {model!r}: check the path, or write the module and the callable with a colon between"
    )
    raise InvalidArchitectureError(msg)


def read_candidate(model: str, inputs: Sequence[str] = ()) -> Candidate:
    """What `read_model` gives, with the cells of the network where its family knows them."""
    family, _, text = model.partition(":")
    cells = FAMILIES[family].read_cells(text) if family in FAMILIES else ()
    return Candidate(read_model(model, inputs), cells=cells)


def _stored(path: Path) -> ComputationGraph:
    """A graph as `foretell search` writes it."""
    import zipfile
    import zlib

    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > _LARGEST_GRAPH:
            raise ValueError(f"it unpacks to {unpacked} bytes, and a graph has {_LARGEST_GRAPH} at most")
        with np.load(path, allow_pickle=False) as stored:
            return ComputationGraph.from_arrays(dict(stored))
    except (OSError, ValueError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile) as e:
        msg = (
            f"an .npz file must hold a graph as `foretell search` writes it, but {path} does not ({e}): write it again"
        )
        raise InvalidArchitectureError(msg) from e


def _from_callable(model: str, examples: Sequence[torch.Tensor]) -> ComputationGraph:
    import torch

    module, _, name = model.partition(":")
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        made: Any = importlib.import_module(module)
        for part in name.split("."):
            made = getattr(made, part)
        if not isinstance(made, torch.nn.Module | ComputationGraph):
            try:
                with torch.device("meta"):  # shapes are enough
                    made = made()
            except (NotImplementedError, RuntimeError):  # some constructors look at numbers
                made = made()
    except Exception as e:
        msg = f"{model} must give a torch.nn.Module or a graph, but raised {type(e).__name__}: {e}"
        raise PluginError(msg) from e
    finally:
        if here in sys.path:
            sys.path.remove(here)
    if isinstance(made, ComputationGraph):
        return made
    if not examples:
        msg = f"a module needs an example input to be captured, but {model} got none: add --input 1,3,32,32"
        raise InvalidArchitectureError(msg)
    return ComputationGraph.from_module(made, *examples)


def _example(text: str) -> torch.Tensor:
    import torch

    shape, _, kind = text.partition(":")
    kind = kind or _TYPES[0]
    if not re.fullmatch(r"\d{1,9}(,\d{1,9})*", shape) or kind not in _TYPES:
        msg = f"an input is a shape such as 1,3,32,32 or 1,128:int64 (of {list(_TYPES)}), but got {text!r}: write it so"
        raise InvalidArchitectureError(msg)
    return torch.empty([int(size) for size in shape.split(",")], dtype=getattr(torch, kind), device="meta")
