"""`foretell search`: networks near a given one that are predicted to be as good and cheaper."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from foretell.errors import ForetellError, InvalidDataError, MissingDependencyError
from foretell_plugins.json_option import json_option
from foretell_plugins.labels import read_labels
from foretell_plugins.show import read_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.aio_p.aio_p import AioP
    from foretell.graph import ComputationGraph
    from foretell.predictor import Predictor
    from foretell.pretraining.gennape import Gennape
    from foretell.search import Judged
    from foretell.search.graph_search import GraphSearch


@click.command()
@click.option("--start", required=True, help="A network as `foretell show` takes it, or nb201-best, nb101-best, darts.")
@click.option("--predictor", "named", default=None, help="Folder that Predictor.save wrote, or a shipped one's name.")
@click.option("--labels", type=click.Path(dir_okay=False, path_type=Path), default=None,
              help="CSV file with the columns model and accuracy, to fit a predictor on instead.")  # fmt: skip
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="As in `foretell show`.")
@click.option("--queries", type=click.IntRange(1), default=500, show_default=True, help="Networks to judge.")
@click.option("--least", default=0.5, show_default=True, help="Lowest FLOPs, as a share of the start's.")
@click.option("--most", default=1.0, show_default=True, help="Highest FLOPs, as a share of the start's.")
@click.option("--penalty", default=1.0, show_default=True, help="For what is unlike the predictor's training; 0: none.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("foretell-search"),
              show_default=True, help="Folder for log, front and picture; a search goes on from its log.")  # fmt: skip
@json_option
def search(
    start: str, named: str | None, labels: Path | None, inputs: tuple[str, ...], queries: int, least: float,
    most: float, penalty: float, seed: int, out: Path, as_json: bool,
) -> None:  # fmt: skip
    """Edit a network again and again, and keep the front of predicted accuracy against FLOPs.

    Every network of the front is compiled into a PyTorch module and makes one step of training. Writes search.jsonl,
    front.json, front.svg, and the graphs of the front as NumPy files, which `foretell show` and `rank` read.
    """
    from tqdm.auto import tqdm

    from foretell.search import pareto_front
    from foretell.search.graph_search import GraphSearch
    from foretell.search.named_starts import NAMED_STARTS
    from foretell.search.search_log import SearchLog

    graph = read_model(NAMED_STARTS.get(start, start), inputs)
    predictor, rests_on = _predictor(named, labels, inputs)
    settings = GraphSearch(predictor, queries=queries, least=least, most=most, penalty=penalty, seed=seed)
    log = SearchLog(out / "search.jsonl", {"start": graph.digest, "predictor": rests_on, "queries": queries,
                    "least": least, "most": most, "penalty": penalty, "seed": seed})  # fmt: skip
    judged: list[Judged[ComputationGraph]] = []
    with tqdm(total=queries + 1, desc="search", unit="network", disable=as_json) as bar:
        for batch in settings.run([graph], log):
            judged += batch
            bar.update(len(batch))
    front = pareto_front(judged)
    rows = _rows(front, judged, settings)
    for row, one in zip(rows, front, strict=True):
        _save(one.item, out / row["graph"])
    found = {"start": start, "flops": graph.flops, "params": graph.params, "score": judged[0].score,
             "rests_on": rests_on, "judged": len(judged), "front": rows}  # fmt: skip
    (out / "front.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    note = _drawn(judged, front, out / "front.svg")
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    click.echo(
        f"{'FLOPs':>8} {'params':>12} {'predicted':>10} {'90 % interval':>21} {'like training':>14}  trains  edits"
    )
    for row in rows:
        low, high = row["interval"]
        inside = "?" if row["distance"] is None else "yes" if row["distance"] <= 1 else f"no ({row['distance']:.1f}x)"
        trains = "yes" if row["trains"] else "no"
        edits = textwrap.shorten("; ".join(row["edits"]) or "start", 60, placeholder=" ...")  # front.json has all
        click.echo(f"{row['flops'] / graph.flops:8.1%} {row['params']:12,} {row['predicted']:10.4g} "
                   f"{low:10.4g}{high:11.4g} {inside:>14}  {trains:6}  {edits}")  # fmt: skip
    click.echo(f"{len(judged):,} networks judged; rests on {rests_on}. {note}Results: {out}")


def _predictor(named: str | None, labels: Path | None, inputs: Sequence[str]) -> tuple[Predictor | Gennape | AioP, str]:
    """A fitted predictor, and what it rests on in words that stay the same for the same predictor."""
    from foretell.predictor import Predictor

    if (named is None) == (labels is None):
        msg = "a search needs one predictor, but got two or none: give either --predictor or --labels"
        raise InvalidDataError(msg)
    if named is not None:
        predictor = Predictor.from_pretrained(named)
        domain = predictor.fitted.domain if isinstance(predictor, Predictor) else None
        return predictor, named if domain is None else f"{named}, {domain.size} labels"
    assert labels is not None
    known = read_labels(labels)
    graphs = [read_model(model, inputs) for model in known]
    return Predictor.preset("foretell").fit(graphs, list(known.values())), f"{len(known)} labels of {labels}"


def _rows(
    front: Sequence[Judged[ComputationGraph]], judged: Sequence[Judged[ComputationGraph]], search: GraphSearch
) -> list[dict[str, Any]]:
    from foretell.judge import judge
    from foretell.search.trial_step import trial_step

    parents = {one.digest: one for one in judged}
    posterior, ratios = judge(search.predictor, [one.item for one in front])
    low, high = posterior.quantile(0.05), posterior.quantile(0.95)
    rows = []
    for k, one in enumerate(front):
        edits: list[str] = []
        at = one
        while at.parent:
            edits.insert(0, at.move)
            at = parents[at.parent]
        try:
            step = trial_step(one.item, search.seed)
            check: dict[str, Any] = {"trains": True, "loss": [step.before, step.after], "trained": step.trained}
        except ForetellError as e:
            check = {"trains": False, "why": str(e)}
        rows.append({
            "digest": one.digest, "flops": int(one.flops), "params": one.item.params, "score": one.score,
            "predicted": float(posterior.mean[k]), "interval": [float(low[k]), float(high[k])],
            "distance": None if ratios[k] != ratios[k] else float(ratios[k]), "edits": edits,
            "graph": f"front-{k:03d}.npz", **check,
        })  # fmt: skip
    return rows


def _save(graph: ComputationGraph, path: Path) -> None:
    import numpy as np

    with path.open("wb") as file:
        np.savez_compressed(file, **graph.to_arrays())  # type: ignore[arg-type]


def _drawn(judged: Sequence[Judged[Any]], front: Sequence[Judged[Any]], path: Path) -> str:
    from foretell.search.front_plot import front_figure

    try:
        front_figure(judged, front).savefig(path)
    except MissingDependencyError as e:
        return f"No picture: {e}. "
    return ""
