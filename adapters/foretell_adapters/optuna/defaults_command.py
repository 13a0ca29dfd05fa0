"""`foretell defaults`: old studies in, clusters of tasks with their first configurations out."""

from __future__ import annotations

import json
from pathlib import Path

import click

from foretell.errors import MissingDependencyError


@click.command()
@click.argument("storages", nargs=-1, required=True)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("defaults.json"),
    show_default=True,
    help="The file for `TaskDefaults.load`.",
)
@click.option("--keep", type=click.IntRange(1), default=5, show_default=True, help="Configurations of each cluster.")
@click.option("--json", "as_json", is_flag=True, help="Print the clusters as JSON.")
def defaults(storages: tuple[str, ...], out: Path, keep: int, as_json: bool) -> None:
    """Learn first configurations for clusters of tasks from all studies in STORAGES, such as sqlite:///studies.sqlite3.

    Studies say what their task is by the user attribute foretell:task, numbers and words by name.
    """
    try:
        from foretell_adapters.optuna.task_defaults import TaskDefaults
    except ModuleNotFoundError as e:
        if e.name != "optuna":
            raise
        msg = "`foretell defaults` needs optuna>=5: pip install 'foretell[optuna]'"
        raise MissingDependencyError(msg) from e
    learnt = TaskDefaults.from_studies(list(storages), keep)
    learnt.save(out)
    clusters = learnt.clusters.clusters
    if as_json:
        found = [{"studies": c.names, "first": dict(c.configurations[0])} for c in clusters]
        click.echo(json.dumps({"file": str(out), "gain": learnt.clusters.gain, "clusters": found}))
        return
    for number, cluster in enumerate(clusters):
        click.echo(f"{number}: {', '.join(cluster.names)}")
        first = cluster.configurations[0].items()
        click.echo("   " + ", ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in first))
    told = len(learnt.clusters.names)
    click.echo(
        f"{out}: {told} stud{'y' if told == 1 else 'ies'} in {len(clusters)} cluster{'s' * (len(clusters) > 1)}; on "
        f"tasks left out their first ones lead one for all by {learnt.clusters.gain:.2f} deviations of a study"
    )
