"""`foretell pretrain`: trains on a benchmark's table what `Predictor.from_pretrained` reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click


@click.command()
@click.argument("name", type=click.Choice(["gennape-nb101", "gennape-nb101-v2"]))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=None,
              help="Folder of states, logs, curves and the checkpoint; by default pretrain/NAME-SEED.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of split, weights and order.")
@click.option("--networks", type=click.IntRange(100), default=None,
              help="Networks to draw from the table, 80 % of them to train on; 50,000 by default.")  # fmt: skip
def pretrain(name: str, out: Path | None, seed: int, networks: int | None) -> None:
    """Train NAME on the tables in FORETELL_DATA; interrupted, the same command goes on.

    gennape-nb101: GENNAPE on NAS-Bench-101 with the paper's graphs and encoder; gennape-nb101-v2: with all that a graph
    knows, messages both ways and statistics of the whole. Ends with the rank correlations on networks held out.
    """
    from foretell.errors import MissingDependencyError
    from foretell.pretraining.nasbench101_corpus import NETWORKS, nasbench101_corpus
    from foretell.pretraining.pretrain_gennape import PretrainGennape
    from foretell.pretraining.pretrain_settings import PRETRAIN_SETTINGS
    from foretell.pretraining.training_curves import training_curves

    settings, drawn = replace(PRETRAIN_SETTINGS[name], seed=seed), networks or NETWORKS
    out = out or Path("pretrain") / f"{name}-{seed}"
    data = nasbench101_corpus(
        out.parent / f"nb101-{settings.encoder.labels}-{drawn}.safetensors", settings.encoder, networks=drawn,
        progress=True,
    )  # fmt: skip
    _, report = PretrainGennape(data, settings, out, progress=True).run()
    for member, figures in report.items():
        click.echo(f"{member:18}" + "  ".join(f"{metric} {value:.4f}" for metric, value in figures.items()))
    try:
        training_curves(out).savefig(out / "curves.svg")
        click.echo(f"Curves: {out / 'curves.svg'}")
    except MissingDependencyError as e:
        click.echo(f"No curves: {e}", err=True)
    click.echo(f"Checkpoint: {out / 'checkpoint'}")
