"""`foretell nni`: what a user of NNI runs.

NNI has no entry points: it finds algorithms by name in a file of the environment, so a command must write it.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import click

from foretell.errors import ForetellError
from foretell_adapters.nni.by_name import ASSESSOR_NAME, NAME
from foretell_adapters.nni.installation import needs_nni
from foretell_plugins.json_option import json_option

_VALIDATOR = "foretell_adapters.nni.by_name.ForetellClassArgsValidator"
_META: dict[str, dict[str, str]] = {
    "tuner": {
        "builtinName": NAME,
        "className": "foretell_adapters.nni.by_name.Foretell",
        "classArgsValidator": _VALIDATOR,
        "source": "user",
    },
    # the tuner's name as an alias: NNI's list keeps one entry a name, and asks only whether there is such an assessor
    "assessor": {
        "builtinName": ASSESSOR_NAME,
        "alias": NAME,
        "className": "foretell_adapters.nni.assessor.ForetellAssessor",
        "classArgsValidator": _VALIDATOR,
        "source": "user",
    },
}


@click.group(name="nni")
def nni_group() -> None:
    """Make foretell known to NNI by name; run searches from a file."""


@nni_group.command()
@json_option
def register(as_json: bool) -> None:
    """Make `tuner: {name: Foretell}` and `assessor: {name: Foretell}` work in this environment."""
    with needs_nni():
        import nni
        from nni.runtime.config import get_config_file
        from nni.tools import package_utils

        # NNI imports them only when an experiment starts: too late
        import foretell_adapters.nni.assessor
        import foretell_adapters.nni.tuner  # noqa: F401
    for kind, meta in _META.items():
        package_utils.register_algo_meta(package_utils.AlgoMeta.load({**meta, "nniVersion": nni.__version__}, kind))
    file = get_config_file("registered_algorithms.yml")
    if as_json:
        click.echo(json.dumps({"file": str(file), "names": dict.fromkeys(_META, NAME)}))
        return
    click.echo(f"Registered in {file}. Write in an experiment:")
    for kind in _META:
        click.echo(f"  {kind}: {{name: {NAME}, classArgs: {{optimize_mode: maximize}}}}")


@nni_group.command()
@json_option
def unregister(as_json: bool) -> None:
    """Forget the names again."""
    with needs_nni():
        from nni.tools import package_utils
    found: Any = [name for name in (NAME, ASSESSOR_NAME) if package_utils.get_algo_meta(name) is not None]
    if not found:
        msg = f"only a registered algorithm can be unregistered, but {NAME} is not: nothing to do"
        raise ForetellError(msg)
    for name in found:
        package_utils.unregister_algo_meta(name)
    click.echo(json.dumps({"unregistered": found}) if as_json else f"Unregistered {NAME}.")


@nni_group.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("models.json"), show_default=True,
              help="Gets every model's sample and metric; a later search may start warm from it.")  # fmt: skip
@click.option("--port", type=int, default=None, help="Of NNI's manager, where the engine needs one; a free one else.")
@click.option("--resume", default=None, metavar="ID", help="Go on with an experiment that was stopped.")
@click.option("--top", type=click.IntRange(1), default=3, show_default=True, help="How many models are shown.")
@json_option
def run(file: Path, out: Path, port: int | None, resume: str | None, top: int, as_json: bool) -> None:
    """Search as FILE says: one YAML for space, evaluator, strategy and training service.

    An experiment of NNI's own cannot name a strategy. See examples/nni_run.yml.
    """
    # nni.nas on torch of today
    warnings.filterwarnings("ignore", message=".*is found to be not a nn.Module", category=RuntimeWarning)
    with needs_nni():
        from foretell_adapters.nni.experiment_file import ExperimentFile
        from foretell_adapters.nni.run_experiment import run_experiment
    outcome = run_experiment(ExperimentFile.read(file), file.resolve().parent, out=out, port=port, resume=resume)
    if as_json:
        said = {"experiment": outcome.experiment_id, "models": len(outcome.models), "best": outcome.models[:top],
                "file": str(out), "interrupted": outcome.interrupted}  # fmt: skip
        click.echo(json.dumps(said, indent=1, default=str))
        return
    for record in outcome.models[:top]:
        click.echo(f"{record['metric']:.4f} {record['sample']}")
    click.echo(f"{len(outcome.models)} models: {out}")
    if outcome.interrupted:
        click.echo(f"Interrupted; to go on: foretell nni run {file} --resume {outcome.experiment_id}")
