"""`foretell finetune`: a shipped or own checkpoint, adapted to some networks that were trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from foretell.errors import CheckpointError, InvalidDataError
from foretell_plugins.completion import complete_checkpoint
from foretell_plugins.json_option import json_option
from foretell_plugins.labels import read_labels
from foretell_plugins.show import read_candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from foretell.candidate import Candidate

    Fit = Callable[[Sequence[Candidate], np.ndarray], Any]

_FOLDS = 5


@click.command()
@click.argument("name", shell_complete=complete_checkpoint)
@click.option("--labels", required=True, type=click.Path(dir_okay=False, path_type=Path),
              help="CSV file with the columns model and accuracy of networks that were trained.")  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("finetuned"), show_default=True,
              help="Folder of the adapted predictor, for --predictor of the other commands.")  # fmt: skip
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="As in `foretell show`.")
@click.option("--no-check", is_flag=True, help="Leave out the five folds that say how well it predicts the labels.")
@json_option
def finetune(name: str, labels: Path, out: Path, inputs: tuple[str, ...], no_check: bool, as_json: bool) -> None:
    """Adapt checkpoint NAME to networks of your own.

    NAME is foretell-pretrained, whose votes are weighed against what your labels say, gennape-nb101, whose heads are
    tuned (accuracies in [0, 1]), or a folder of either kind. Ends with the rank correlation on labels that were held
    out, beside that of counting parameters.
    """
    from tqdm.auto import tqdm

    fit = _fit_of(name)
    known = read_labels(labels)
    candidates = [read_candidate(model, inputs) for model in tqdm(known, "capture", disable=None, leave=False)]
    accuracy = np.array(list(known.values()))
    if len(accuracy) < 2:
        msg = f"fine-tuning needs two labels at least, twenty for a use, but {labels} has {len(accuracy)}: add some"
        raise InvalidDataError(msg)
    fit(candidates, accuracy).save(out)
    checked = None if no_check or len(accuracy) < 2 * _FOLDS else _held_out(fit, candidates, accuracy)
    said = {"checkpoint": name, "labels": len(accuracy), "out": str(out), "held_out": checked}
    if as_json:
        click.echo(json.dumps(said, indent=1))
        return
    if checked is not None:
        click.echo(f"Kendall tau on labels held out, {_FOLDS} folds: {checked['tau']:.2f} (counting parameters: "
                   f"{checked['tau_params']:.2f})")  # fmt: skip
    click.echo(f"{len(accuracy)} labels in {out}; use it by --predictor {out}")


def _fit_of(name: str) -> Fit:
    """What adapts a checkpoint: from candidates and accuracies to a predictor."""
    from foretell.encoders.pretrained import SHIPPED
    from foretell.predictor import Predictor
    from foretell.presets import foretell_pretrained
    from foretell.pretraining.gennape import Gennape

    folder = SHIPPED / name if (SHIPPED / name).is_dir() else Path(name)
    if list(folder.glob("*/config.json")):  # a checkpoint of several sources
        return lambda items, y: foretell_pretrained(name).fit(items, y)
    found = Predictor.from_pretrained(name)
    if isinstance(found, Gennape):
        return found.fit
    msg = (
        f"a checkpoint can be adapted if it is foretell-pretrained, GENNAPE's or a folder of either kind, but {name!r} "
        f"is a plain predictor: fit the preset foretell on your labels instead, or correct its ranking by "
        "`foretell rank --measured`"
    )
    raise CheckpointError(msg)


def _held_out(fit: Fit, candidates: Sequence[Candidate], accuracy: np.ndarray) -> dict[str, float]:
    """Kendall's tau of predictions for labels of which the predictor was not told."""
    from tqdm.auto import tqdm

    from foretell.metrics import kendall_tau

    predicted = np.empty(len(accuracy))
    folds = np.array_split(np.random.default_rng(0).permutation(len(accuracy)), _FOLDS)
    for rows in tqdm(folds, "held out", unit="fold", disable=None, leave=False):
        rest = np.setdiff1d(np.arange(len(accuracy)), rows)
        tuned = fit([candidates[i] for i in rest], accuracy[rest])
        predicted[rows] = tuned.predict([candidates[i] for i in rows]).mean
    params = np.array([0 if c.graph is None else c.graph.params for c in candidates])
    return {"tau": kendall_tau(accuracy, predicted), "tau_params": kendall_tau(accuracy, params)}
