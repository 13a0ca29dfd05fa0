"""`foretell explain`: what raises and lowers the prediction of one network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from foretell.candidate import Candidate
from foretell.capture.families import FAMILIES
from foretell.errors import ForetellError, PluginError
from foretell_plugins.completion import complete_checkpoint, complete_model
from foretell_plugins.json_option import json_option
from foretell_plugins.show import read_candidate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.explain import Motif, OperatorContributions
    from foretell.predictor import Predictor


@click.command()
@click.argument("model", shell_complete=complete_model)
@click.option("--predictor", "named", required=True, shell_complete=complete_checkpoint,
              help="Folder that Predictor.save or `foretell finetune` wrote, or a shipped one's name.")  # fmt: skip
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="As for `foretell show`.")
@click.option("--against", multiple=True, metavar="MODEL", help="A network to compare with; once for each. By default "
              "random ones of MODEL's family.")  # fmt: skip
@click.option("--samples", type=click.IntRange(1), default=30, show_default=True, help="How many random ones.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of these.")
@click.option("--most", type=click.IntRange(1), default=10, show_default=True, help="Longest list that is shown.")
@json_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None, help="A drawing, .svg.")
def explain(
    model: str, named: str, inputs: tuple[str, ...], against: tuple[str, ...], samples: int, seed: int, most: int,
    as_json: bool, out: Path | None,
) -> None:  # fmt: skip
    """Explain what a fitted predictor says of MODEL, see `foretell show` for what MODEL may be.

    Groups of columns: their Shapley values, which sum to the prediction less the mean of the networks compared with.
    Single columns, where the predictor is boosted trees: exact SHAP values, in normal scores. Operators: what the
    prediction loses when one is skipped. Motifs, where the predictor counts them: what one more of each would change.
    Blue raises, orange lowers.
    """
    from foretell.explain import bars_svg, explain_columns, heat_map_svg
    from foretell.explain.stacked_svg import stacked_svg
    from foretell.predictor import Predictor

    if out is not None and out.suffix != ".svg":
        msg = f"an explanation is drawn as an .svg file, but got {str(out)!r}: choose that ending"
        raise PluginError(msg)
    predictor = Predictor.from_pretrained(named)
    if not isinstance(predictor, Predictor):
        msg = f"an explanation needs a predictor on columns, but {named!r} is {predictor}: take another"
        raise PluginError(msg)
    candidate = read_candidate(model, inputs)
    background = _background(model, inputs, against, samples, seed)
    groups = explain_columns(predictor, candidate, background, seed=seed)
    views = _views(predictor, candidate)
    motifs = _motifs(predictor, candidate, background)
    columns = _columns(predictor, candidate)
    if out is not None:
        unit = "target units; the networks compared with have a mean of " + f"{groups.base:.4g}"
        parts = [bars_svg(groups.largest(most), f"Groups of columns: predicted {groups.prediction:.4g}", unit)]
        parts += [heat_map_svg(view, f"Operators of the {view.view}") for view in views]
        if motifs:
            bars = [(motif.text, motif.effect) for motif in motifs[:most]]
            parts.append(bars_svg(bars, "Motifs of this network", _said_of(motifs[0])))
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(stacked_svg(parts, model), encoding="utf-8")
    shares = zip(groups.names, groups.values.tolist(), groups.errors.tolist(), strict=True)
    said: dict[str, Any] = {
        "model": model, "prediction": groups.prediction, "base": groups.base,
        "groups": [{"name": name, "contribution": value, "error": error} for name, value, error in shares],
        "columns": [{"name": name, "contribution": value} for name, value in columns],
        "operators": [row for view in views for row in _operators(view)],
        "motifs": [
            {"motif": m.text, "effect": m.effect, "unit": m.unit, "cell": m.cell, "nodes": list(m.nodes(candidate))}
            for m in motifs
        ],
        "drawing": None if out is None else str(out),
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(said, indent=1))
        return
    click.echo(f"{'predicted':48}{groups.prediction:12.5g}")
    click.echo(f"{f'mean of {len(background)} networks compared with':48}{groups.base:12.5g}")
    _print("groups of columns", groups.largest(most))
    if columns:
        _print("single columns, normal scores", columns[:most])
    for view in views:
        rows = sorted(_operators(view), key=lambda row: -abs(row["contribution"]))[:most]
        named_rows = [(f"{r['operator']} (node {r['node']}, x {r['copies']})", r["contribution"]) for r in rows]
        _print(f"operators of the {view.view}", named_rows)
    if motifs:
        _print(f"motifs, {_said_of(motifs[0])}", [(motif.text, motif.effect) for motif in motifs[:most]])
    if out is not None:
        click.echo(f"Drawing: {out}")


def _print(title: str, rows: Sequence[tuple[str, float]]) -> None:
    click.echo(f"{title}:")
    for name, value in rows:
        click.echo(f"  {name if len(name) <= 45 else name[:44] + '…':46}{value:+12.4g}")
    if not rows:
        click.echo("  none")


def _background(model: str, inputs: Sequence[str], against: Sequence[str], samples: int, seed: int) -> list[Candidate]:
    """The networks named, or random ones of the family."""
    if against:
        return [read_candidate(other, inputs) for other in against]
    name = model.partition(":")[0]
    if name not in FAMILIES:
        msg = (
            f"a prediction is explained by comparison, but {model!r} is of no family to draw others from: name some "
            "networks by --against MODEL"
        )
        raise PluginError(msg)
    family, rng = FAMILIES[name], np.random.default_rng(seed)
    specs = [family.sample(rng) for _ in range(samples)]
    return [Candidate(family.graph(spec), cells=family.cells(spec) if family.cells else ()) for spec in specs]


def _columns(predictor: Predictor, candidate: Candidate) -> list[tuple[str, float]]:
    """Contributions of single columns, the largest first; none but for boosted trees."""
    from foretell.explain import explain_trees
    from foretell.surrogates.gradient_boosting import FittedBoosting

    if not isinstance(predictor.fitted.surrogate, FittedBoosting):
        return []
    (found,) = explain_trees(predictor, [candidate])
    return found.largest(len(found.names))


def _views(predictor: Predictor, candidate: Candidate) -> list[OperatorContributions]:
    """The network and its cells, where the predictor looks at them."""
    from foretell.explain import explain_operators

    found = []
    for cell in (None, *range(len(candidate.cells))):
        try:
            view = explain_operators(predictor, candidate, cell=cell)
        except ForetellError as e:
            name = "network" if cell is None else f"cell {cell}"
            click.echo(f"foretell: operators of the {name} are not explained: {e}", err=True)
            continue
        if np.nanmax(np.abs(view.values), initial=0.0) > 0.0:
            found.append(view)
    return found


def _operators(view: OperatorContributions) -> list[dict[str, Any]]:
    from foretell.encoders.operator_class import operator_classes

    texts, index = operator_classes([view.drawn.graph])
    copies = np.bincount(view.drawn.place, minlength=len(index)).tolist()
    return [
        {"view": view.view, "node": i, "operator": texts[k], "copies": copies[i], "contribution": value}
        for i, (k, value) in enumerate(zip(index.tolist(), view.values.tolist(), strict=True))
        if not np.isnan(value)
    ]


def _motifs(predictor: Predictor, candidate: Candidate, background: Sequence[Candidate]) -> list[Motif]:
    """Those of the network, the strongest first; none where the predictor counts none."""
    from foretell.encoders import OfCells, WeisfeilerLehman
    from foretell.explain import motif_gradients, motif_removals
    from foretell.surrogates.gaussian_process import FittedGaussianProcess

    inner = (e.encoder if isinstance(e, OfCells) else e for e in predictor.encoders)
    if not any(isinstance(e, WeisfeilerLehman) for e in inner):
        return []
    process = isinstance(predictor.fitted.surrogate, FittedGaussianProcess)
    found = (motif_gradients if process else motif_removals)(predictor, [candidate, *background])
    return sorted((m for m in found if m.nodes(candidate)), key=lambda m: -abs(m.effect))


def _said_of(motif: Motif) -> str:
    from foretell.explain.columns import TARGET

    return "loss when removed, target units" if motif.unit == TARGET else "change by one more, normal scores"
