"""`foretell rank`: networks from anywhere, best first, with intervals and what these rest on."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foretell.errors import InvalidDataError
from foretell_plugins.completion import complete_checkpoint, complete_model
from foretell_plugins.json_option import json_option
from foretell_plugins.labels import read_labels
from foretell_plugins.show import read_candidate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foretell.aio_p.aio_p import AioP
    from foretell.candidate import Candidate
    from foretell.predictor import Predictor
    from foretell.pretraining.gennape import Gennape


@click.command()
@click.argument("models", nargs=-1, required=True, shell_complete=complete_model)
@click.option("--predictor", "named", default=None, shell_complete=complete_checkpoint,
              help="Folder that Predictor.save wrote, or a shipped one's name.")  # fmt: skip
@click.option("--measured", type=click.Path(dir_okay=False, path_type=Path), default=None,
              help="CSV file with the columns model and accuracy of networks that were trained.")  # fmt: skip
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="As in `foretell show`.")
@json_option
def rank(
    models: tuple[str, ...], named: str | None, measured: Path | None, inputs: tuple[str, ...], as_json: bool
) -> None:
    """Rank MODELS, each as `foretell show` takes it.

    Without --predictor, one is fitted on the measured networks alone.
    """
    from tqdm.auto import tqdm

    from foretell.ranking import rank_graphs

    graphs = {model: read_candidate(model, inputs) for model in tqdm(models, "capture", disable=None, leave=False)}
    labels = {} if measured is None else read_labels(measured)
    for model in labels:
        if model not in graphs:
            graphs[model] = read_candidate(model, inputs)
    predictor, rests_on = _predictor(named, labels, graphs)
    rows = rank_graphs(predictor, graphs, labels)
    if as_json:
        listed = [{**asdict(r), "distance": None if r.in_domain is None else r.distance, "in_domain": r.in_domain}
                  for r in rows]  # fmt: skip
        click.echo(json.dumps({"rests_on": rests_on, "ranking": listed}, indent=1))
        return
    click.echo(f"{'':>4} {'predicted':>10} {'90 % interval':>21} {'measured':>10} {'params':>14} {'FLOPs':>18} "
               f"{'like training':>14}  model")  # fmt: skip
    for place, row in enumerate(rows, start=1):
        known = "" if row.measured is None else f"{row.measured:.4g}"
        inside = {None: "?", True: "yes", False: f"no ({row.distance:.1f}x)"}[row.in_domain]
        click.echo(f"{place:>4} {row.predicted:10.4g} {row.low:10.4g}{row.high:11.4g} {known:>10} {row.params:14,} "
                   f"{row.flops:18,} {inside:>14}  {row.name}")  # fmt: skip
    click.echo(f"Rests on {rests_on}.")


def _predictor(
    named: str | None, labels: Mapping[str, float], graphs: Mapping[str, Candidate]
) -> tuple[Predictor | Gennape | AioP, str]:
    from foretell.predictor import Predictor

    if named is not None:
        predictor = Predictor.from_pretrained(named)
        domain = predictor.fitted.domain if isinstance(predictor, Predictor) else None
        rests_on = f"what {named} learnt" if domain is None else f"{domain.size} labels behind {named}"
        told = f", corrected by {len(labels)} measured here" if labels else ", none of these networks' own"
        return predictor, rests_on + told
    if not labels:
        msg = "a ranking needs a predictor or measured networks, but got neither: give --predictor or --measured"
        raise InvalidDataError(msg)
    known = [graphs[model] for model in labels]
    return Predictor.preset("foretell").fit(known, list(labels.values())), f"{len(labels)} networks measured here alone"
