"""`foretell predict`: what a predictor says of networks or settings, in the order in which they are given."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from foretell.candidate import Candidate
from foretell.errors import InvalidDataError
from foretell_plugins.completion import complete_checkpoint, complete_model
from foretell_plugins.json_option import json_option
from foretell_plugins.show import read_candidate

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Predicted:
    """What is said of one model: mean, deviation and interval; `distance` as in `foretell.ranking.Ranked`."""

    model: str
    predicted: float
    std: float
    low: float
    high: float
    distance: float

    @property
    def in_domain(self) -> bool | None:
        """Whether it is like what the predictor learnt from, None if that is unknown."""
        return None if np.isnan(self.distance) else self.distance <= 1.0


@click.command()
@click.argument("models", nargs=-1, required=True, shell_complete=complete_model)
@click.option("--predictor", "named", required=True, shell_complete=complete_checkpoint,
              help="Folder that Predictor.save or `foretell finetune` wrote, or a shipped one's name.")  # fmt: skip
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="As in `foretell show`.")
@click.option("--coverage", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.9, show_default=True,
              help="Share of truths that the intervals are to hold.")  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Also write a CSV file.")
@json_option
def predict(
    models: tuple[str, ...], named: str, inputs: tuple[str, ...], coverage: float, out: Path | None, as_json: bool
) -> None:
    """Predict how well each of MODELS will do, with an interval.

    A model is what `foretell show` takes, or, for a predictor that knows hyperparameters, a JSON object of these such
    as '{"lr": 0.001}'. `foretell rank` puts networks in order and hears measured ones.
    """
    from tqdm.auto import tqdm

    from foretell.judge import judge
    from foretell.predictor import Predictor

    predictor = Predictor.from_pretrained(named)
    candidates = [read_one(model, inputs) for model in tqdm(models, "capture", disable=None, leave=False)]
    posterior, ratios = judge(predictor, candidates)
    low, high = posterior.quantile(0.5 - coverage / 2), posterior.quantile(0.5 + coverage / 2)
    beliefs = zip(models, posterior.mean, posterior.std, low, high, ratios, strict=True)
    rows = [Predicted(model, *map(float, numbers)) for model, *numbers in beliefs]
    listed = [{**asdict(r), "distance": None if r.in_domain is None else r.distance, "in_domain": r.in_domain}
              for r in rows]  # fmt: skip
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(listed[0]))
            writer.writeheader()
            writer.writerows(listed)
    if as_json:
        click.echo(json.dumps({"coverage": coverage, "predictions": listed}, indent=1))
        return
    click.echo(f"{'predicted':>10} {'std':>10} {f'{coverage:.0%} interval':>21} {'like training':>14}  model")
    for row in rows:
        inside = {None: "?", True: "yes", False: f"no ({row.distance:.1f}x)"}[row.in_domain]
        click.echo(f"{row.predicted:10.4g} {row.std:10.3g} {row.low:10.4g}{row.high:11.4g} {inside:>14}  {row.model}")
    if out is not None:
        click.echo(f"Table: {out}")


def read_one(model: str, inputs: Sequence[str]) -> Candidate:
    """A network as `foretell show` takes it, or a JSON object of hyperparameters.

    Raises:
        ForetellError: If it is neither.
    """
    if not model.lstrip().startswith("{"):
        return read_candidate(model, inputs)
    try:
        return Candidate(config=json.loads(model))
    except ValueError as e:
        msg = f'hyperparameters are a JSON object such as {{"lr": 0.001}}, but got {model!r} ({e}): correct it'
        raise InvalidDataError(msg) from e
