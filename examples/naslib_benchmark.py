"""NASLib's own evaluator on real labels: foretell beside NASLib's random forest, XGBoost, and counting FLOPs.

`foretell naslib bench` does this for all of NASLib's predictors, over sizes; here is how it is done. Put a checkout of
NASLib on PYTHONPATH, and install what it needs (`docs/naslib.md`). The tables are those of `FORETELL_DATA`.
"""

import contextlib
import io
import statistics
import tempfile
import warnings
from pathlib import Path

import click

from foretell_adapters.naslib import ForetellPredictor, compat, dataset_api
from foretell_adapters.naslib.counting import Counting
from foretell_adapters.naslib.light_spaces import light_space


def evaluate(predictor, space, api, *, train, test, seed):
    """One run of NASLib's `PredictorEvaluator`; equal seeds give every predictor the same architectures."""
    from fvcore.common.config import CfgNode
    from naslib.defaults.predictor_evaluator import PredictorEvaluator
    from naslib.utils import set_seed

    set_seed(seed)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):  # it prints a lot
        settings = {"experiment_type": "single", "search_space": space, "dataset": "cifar10", "uniform_random": True,
                    "train_size_single": train, "train_size_list": [train], "test_size": test, "seed": seed,
                    "fidelity_single": 1, "fidelity_list": [1], "max_hpo_time": 0, "save": folder}  # fmt: skip
        evaluator = PredictorEvaluator(predictor, config=CfgNode(settings))
        evaluator.adapt_search_space(light_space(space), load_labeled=False, scope=[], dataset_api=api)
        return evaluator.evaluate()[-1]["kendalltau"]


@click.command()
@click.option("--train", default=100, help="Labelled architectures.")
@click.option("--seeds", default=3, help="Runs, seeds 0 upwards.")
@click.option("--space", type=click.Choice(["nasbench201", "nasbench101"]), default="nasbench201")
@click.option("--data", envvar="FORETELL_DATA", default="../shared/data", help="Folder of tables.")
def main(train, seeds, space, data):
    compat.install()  # NASLib on the Python of today
    warnings.simplefilter("ignore")  # of its libraries
    try:
        from naslib.predictors import RandomForestPredictor, XGBoost
        from naslib.utils.encodings import EncodingType
    except ImportError as e:
        raise click.ClickException(f"{e}: put a checkout of NASLib on PYTHONPATH, and install what it needs") from e
    api = getattr(dataset_api, space)(Path(data))
    theirs = {"ss_type": space, "encoding_type": EncodingType.ADJACENCY_ONE_HOT, "hpo_wrapper": False}
    peers = {"rf": lambda: RandomForestPredictor(**theirs), "xgb": lambda: XGBoost(**theirs)}
    for name, make in {**peers, "flops": lambda: Counting("flops", space), "foretell": ForetellPredictor}.items():
        taus = [evaluate(make(), space, api, train=train, test=2 * train, seed=seed) for seed in range(seeds)]
        print(f"{name:10} tau {statistics.mean(taus):.3f} ({min(taus):.3f} to {max(taus):.3f})")


if __name__ == "__main__":
    main()
