"""NASLib's own evaluator on real labels: foretell beside NASLib's random forest and XGBoost.

`foretell naslib bench` does this for all of NASLib's predictors, over sizes; here is how it is done.

NASLib is not on the package index: put a checkout on the path, and the packages that `rf` and `xgb` need
beside it (`pip install fvcore pytorch-msssim scikit-image transforms3d ConfigSpace nasbench_pytorch lightgbm
xgboost ngboost pyro-ppl grakel emcee six seaborn`). The tables are those of `FORETELL_DATA`.

    PYTHONPATH=/path/to/NASLib python examples/naslib_benchmark.py --train 100 --test 200 --seeds 3
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import statistics
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from foretell.errors import ForetellError
from foretell_adapters.naslib import ForetellPredictor, compat, dataset_api, predictor_class
from foretell_adapters.naslib.counting import Counting
from foretell_adapters.naslib.light_spaces import light_space

if TYPE_CHECKING:
    from collections.abc import Callable

LABELS = {
    "nasbench201": "test accuracy after 200 epochs, CIFAR-10",
    "nasbench101": "mean test accuracy of 3 runs of 108 epochs, CIFAR-10",
}


def predictors(space: str, wanted: set[str]) -> dict[str, Callable[[], Any]]:
    """Fresh predictors by name: ours and NASLib's, each with its default hyperparameters."""
    from naslib.predictors import LGBoost, NGBoost, RandomForestPredictor, XGBoost
    from naslib.utils.encodings import EncodingType

    theirs = {"rf": RandomForestPredictor, "xgb": XGBoost, "lgb": LGBoost, "ngb": NGBoost}
    made: dict[str, Callable[[], Any]] = {
        name: partial(cls, ss_type=space, encoding_type=EncodingType.ADJACENCY_ONE_HOT, hpo_wrapper=False)
        for name, cls in theirs.items()
    }
    made |= {
        "flops": partial(Counting, "flops", space),
        "foretell": ForetellPredictor,
        "graf": predictor_class("graf"),
    }
    unknown = sorted(wanted - set(made))
    if unknown:
        msg = f"--predictors takes names of {sorted(made)}, but got {unknown}"
        raise click.BadParameter(msg)
    return {name: make for name, make in made.items() if name in wanted}


def evaluate(predictor: Any, space: str, api: dict[str, Any], *, train: int, test: int, seed: int) -> dict[str, Any]:
    """One run of NASLib's `PredictorEvaluator`; equal seeds give every predictor the same architectures."""
    from fvcore.common.config import CfgNode
    from naslib.defaults.predictor_evaluator import PredictorEvaluator
    from naslib.utils import set_seed

    with tempfile.TemporaryDirectory() as folder:
        config = CfgNode({
            "experiment_type": "single", "search_space": space, "dataset": "cifar10", "seed": seed,
            "train_size_single": train, "train_size_list": [train], "test_size": test, "uniform_random": True,
            "fidelity_single": 1, "fidelity_list": [1], "max_hpo_time": 0, "save": folder,
        })  # fmt: skip
        set_seed(seed)
        evaluator = PredictorEvaluator(predictor, config=config)
        evaluator.adapt_search_space(light_space(space), load_labeled=False, scope=[], dataset_api=api)
        with contextlib.redirect_stdout(io.StringIO()):  # the evaluator prints every prediction
            results: dict[str, Any] = evaluator.evaluate()[-1]
    return results


@click.command()
@click.option("--train", default=100, show_default=True, help="Labelled architectures.")
@click.option("--test", default=200, show_default=True, help="Architectures to rank.")
@click.option("--seeds", default=3, show_default=True, help="Runs, seeds 0 upwards.")
@click.option("--spaces", default="nasbench201,nasbench101", show_default=True, help="Search spaces, comma-separated.")
@click.option("--predictors", "names", default="flops,foretell,rf,xgb", show_default=True, help="Likewise predictors.")
@click.option("--data", default=None, help="Folder of tables; default FORETELL_DATA, or ../shared/data.")
def main(train: int, test: int, seeds: int, spaces: str, names: str, data: str | None) -> None:
    """Print Kendall's tau of each predictor as NASLib's evaluator computes it."""
    compat.install()
    warnings.simplefilter("ignore")  # NASLib's, about libraries of its time
    logging.disable(logging.INFO)
    folder = Path(data or os.environ.get("FORETELL_DATA", "../shared/data"))
    for space in spaces.split(","):
        if space not in LABELS:
            msg = f"--spaces takes names of {sorted(LABELS)}, but got {space!r}"
            raise click.BadParameter(msg)
        try:
            made = predictors(space, set(names.split(",")))
            api = getattr(dataset_api, space)(folder)
        except ImportError as e:
            msg = f"{e}: put a checkout of NASLib on PYTHONPATH, and install what this file's head names"
            raise click.ClickException(msg) from e
        except ForetellError as e:
            raise click.ClickException(str(e)) from e
        click.echo(f"\n{space}: {train} train, {test} test, uniformly random; {LABELS[space]}; seeds 0..{seeds - 1}")
        click.echo(f"{'predictor':<16}{'tau':>8}{'min':>8}{'max':>8}{'fit s':>8}{'query ms':>10}{'run s':>8}")
        for name, make in made.items():
            start = time.perf_counter()
            runs = [evaluate(make(), space, api, train=train, test=test, seed=seed) for seed in range(seeds)]
            taus = [run["kendalltau"] for run in runs]
            fit = statistics.mean(run["fit_time"] for run in runs)
            query = 1000 * statistics.mean(run["query_time"] for run in runs)
            row = f"{statistics.mean(taus):8.3f}{min(taus):8.3f}{max(taus):8.3f}{fit:8.2f}{query:10.2f}"
            click.echo(f"{name:<16}{row}{(time.perf_counter() - start) / seeds:8.1f}")


if __name__ == "__main__":
    main()
