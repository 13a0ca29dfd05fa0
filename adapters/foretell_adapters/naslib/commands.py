"""`foretell naslib`: our predictors in NASLib, beside NASLib's own."""

from __future__ import annotations

from pathlib import Path

import click

from foretell.errors import InvalidDataError
from foretell_adapters.naslib.checkout import use_checkout
from foretell_plugins.json_option import json_option

_checkout = click.option("--naslib", "checkout", type=click.Path(path_type=Path), default=None,
                         help="Checkout of NASLib; not needed where `import naslib` works.")  # fmt: skip
_data = click.option("--data", type=click.Path(path_type=Path), envvar="FORETELL_DATA", default="../shared/data",
                     show_default=True, help="Folder of benchmark tables.")  # fmt: skip
_seeds = click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Seeds 0 to this minus 1.")
_methods = click.option("--methods", default="", help="Only these, separated by commas.")
_quick = click.option("--quick", is_flag=True, help="A small part.")


@click.group(name="naslib")
def naslib_group() -> None:
    """Measure our predictors inside NASLib."""


@naslib_group.command()
@_checkout
@_data
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("bench/naslib.jsonl"),
              show_default=True, help="Result file; what is there is not measured again.")  # fmt: skip
@click.option("--spaces", default="nasbench201,nasbench101", show_default=True, help="Separated by commas.")
@click.option("--sizes", default="20,50,100,200,400", show_default=True, help="Training architectures.")
@click.option("--test", default=500, show_default=True, help="Architectures to rank.")
@_seeds
@_methods
@_quick
@json_option
def bench(
    checkout: Path | None, data: Path, out: Path, spaces: str, sizes: str, test: int, seeds: int, methods: str,
    quick: bool, as_json: bool,
) -> None:  # fmt: skip
    """Rank correlation against training size, in NASLib's evaluator, on real labels.

    Ours beside NASLib's own predictors (`naslib-rf`, `naslib-gcn`, ...) and counting. Resumes from the result file;
    ends with tables and two plots, of rank correlation and of the time of a fit.
    """
    from foretell_adapters.naslib.study import PredictorStudy, default_methods
    from foretell_plugins.bench import carry_out, save_plot

    study = PredictorStudy(data, _named(spaces), _numbers(sizes), test)
    use_checkout(checkout)
    measured = carry_out(study, out, seeds=seeds, methods=methods or default_methods(), quick=quick,
                         as_json=as_json)  # fmt: skip
    save_plot(lambda: study.time_figure(measured), out.with_name(f"{out.stem}-fit.svg"), quiet=as_json)


@naslib_group.command()
@_checkout
@_data
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("bench/naslib-search.jsonl"),
              show_default=True, help="Result file; what is there is not measured again.")  # fmt: skip
@click.option("--space", default="nasbench201", show_default=True, help="Search space.")
@click.option("--evaluations", default=100, show_default=True, help="Architectures that are trained.")
@_seeds
@_methods
@_quick
@json_option
def search(
    checkout: Path | None, data: Path, out: Path, space: str, evaluations: int, seeds: int, methods: str, quick: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Regret of NASLib's BANANAS and NPENAS with our predictor and with NASLib's ensembles, on real labels.

    Methods read `bananas/foretell`, `npenas/naslib-var_sparse_gp`, and so on. Resumes from the result file.
    """
    from foretell_adapters.naslib.search_study import DEFAULT_METHODS, SearchStudy
    from foretell_plugins.bench import carry_out

    study = SearchStudy(data, space, evaluations)
    use_checkout(checkout)
    carry_out(study, out, seeds=seeds, methods=methods or DEFAULT_METHODS, quick=quick, as_json=as_json)


def _named(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in _named(text)]
    except ValueError as e:
        msg = f"--sizes must be whole numbers separated by commas, but got {text!r}: write 20,50,100"
        raise InvalidDataError(msg) from e
