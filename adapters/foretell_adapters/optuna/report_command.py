"""`foretell report`: a page about a study, from its storage."""

from __future__ import annotations

import json
from pathlib import Path

import click

from foretell.errors import InvalidDataError, MissingDependencyError
from foretell.whole_file import write_whole


@click.command()
@click.argument("study")
@click.option(
    "--storage", required=True, help="Where it lies, as Optuna names it: sqlite:///studies.sqlite3, or a journal file."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="The page.",
)
@click.option(
    "--dashboard", is_flag=True, help="Keep its pictures in the study too, where optuna-dashboard shows them."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def report(study: str, storage: str, out: Path, dashboard: bool, as_json: bool) -> None:
    """Write one self-contained HTML page about STUDY: progress, what matters, what is believed, how far to trust it."""
    try:
        import optuna
    except ModuleNotFoundError as e:
        msg = "`foretell report` needs optuna>=5: pip install 'foretell[optuna,plot]'"
        raise MissingDependencyError(msg) from e
    from foretell_adapters.optuna.report import study_report

    loaded = _load(optuna, study, storage)
    write_whole({out: study_report(loaded)})
    result: dict[str, object] = {"report": str(out), "trials": len(loaded.get_trials(deepcopy=False))}
    if dashboard:
        from foretell_adapters.optuna.dashboard import save_to_dashboard

        result["dashboard"] = save_to_dashboard(loaded)
    click.echo(json.dumps(result) if as_json else f"{out}: {result['trials']} trials")


def _load(optuna, study: str, storage: str):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    from optuna.storages.journal import JournalFileBackend

    if "://" not in storage and not Path(storage).is_file():
        msg = f"`--storage` must be a URL or a journal file, but {storage!r} is neither: sqlite:///file is usual"
        raise InvalidDataError(msg)
    file = storage.removeprefix("sqlite:///").split("?")[0]
    if storage.startswith("sqlite:///") and not Path(file).is_file():  # opening it would make an empty one
        msg = f"`--storage` must hold a study, but {file} is not there: correct the URL"
        raise InvalidDataError(msg)
    try:
        place = storage if "://" in storage else optuna.storages.JournalStorage(JournalFileBackend(storage))
        known = [s.study_name for s in optuna.get_all_study_summaries(place)]
    except Exception as e:
        msg = (
            f"`--storage` must be a storage that Optuna can open, but {storage!r} is not ({_first_line(e)}): correct it"
        )
        raise InvalidDataError(msg) from e
    try:
        return optuna.load_study(study_name=study, storage=place)
    except KeyError as e:
        msg = f"the storage must hold the study, but {study!r} is none of {known}: name one of these"
        raise InvalidDataError(msg) from e


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
