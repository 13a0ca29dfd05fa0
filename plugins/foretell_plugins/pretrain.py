"""`foretell pretrain`: trains on a benchmark's table what `Predictor.from_pretrained` reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click

from foretell_plugins.json_option import json_option


@click.command()
@click.argument("name", type=click.Choice(["gennape-nb101", "gennape-nb101-v2"]))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=None,
              help="Folder of states, logs, curves and the checkpoint; by default pretrain/NAME-SEED.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of split, weights and order.")
@click.option("--networks", type=click.IntRange(100), default=None,
              help="Networks to draw from the table, 80 % of them to train on; 50,000 by default.")  # fmt: skip
@click.option("--shard", type=click.IntRange(1), default=2**16, show_default=True,
              help="Networks a file of the corpus; a few files are in memory at a time.")  # fmt: skip
@click.option("--minutes", type=click.FloatRange(0.0), default=10.0, show_default=True,
              help="Time between two records within an epoch.")  # fmt: skip
@json_option
def pretrain(
    name: str, out: Path | None, seed: int, networks: int | None, shard: int, minutes: float, as_json: bool
) -> None:
    """Train NAME on the tables in FORETELL_DATA; interrupted, the same command goes on.

    gennape-nb101: GENNAPE on NAS-Bench-101 with the paper's graphs and encoder; gennape-nb101-v2: with all that a graph
    knows, messages both ways and statistics of the whole. Ends with the rank correlations on networks held out.

    On several processes or machines, with a folder that all see: torchrun --nproc-per-node 2 --no-python foretell
    pretrain NAME; the weights are those of one process up to rounding.
    """
    from foretell.errors import MissingDependencyError
    from foretell.pretraining.nasbench101_corpus import NETWORKS, nasbench101_corpus
    from foretell.pretraining.pretrain_gennape import PretrainGennape
    from foretell.pretraining.pretrain_settings import PRETRAIN_SETTINGS
    from foretell.pretraining.processes import joined_processes
    from foretell.pretraining.training_curves import training_curves

    settings, drawn = replace(PRETRAIN_SETTINGS[name], seed=seed), networks or NETWORKS
    out = out or Path("pretrain") / f"{name}-{seed}"
    with joined_processes() as processes:
        corpus = nasbench101_corpus(
            out.parent / f"nb101-{settings.encoder.labels}-{drawn}", settings.encoder, networks=drawn, shard=shard,
            processes=processes, progress=processes.first,
        )  # fmt: skip
        run = PretrainGennape(corpus, settings, out, processes=processes, minutes=minutes, progress=True)
        _, report = run.run()
        if not processes.first:
            return
    try:
        training_curves(out).savefig(out / "curves.svg")
        curves = str(out / "curves.svg")
    except MissingDependencyError as e:
        curves = None
        click.echo(f"No curves: {e}", err=True)
    if as_json:
        said = {"checkpoint": str(out / "checkpoint"), "curves": curves, "held_out": report}
        click.echo(json.dumps(said, indent=1))
        return
    for member, figures in report.items():
        click.echo(f"{member:18}" + "  ".join(f"{metric} {value:.4f}" for metric, value in figures.items()))
    if curves is not None:
        click.echo(f"Curves: {curves}")
    click.echo(f"Checkpoint: {out / 'checkpoint'}")
