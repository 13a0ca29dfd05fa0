"""What all commands share: `--json`, exit codes, one sentence for what a user did, and the Tab key."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from foretell_plugins import Plugins
from foretell_plugins.cli import build_cli, main

ASKED_FOR = {"demo", "predict", "rank", "show", "bench", "pretrain", "finetune", "report", "plugins", "adapters", "nni",
             "naslib"}  # fmt: skip


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that is no group."""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from leaves(below, (*path, name))
    else:
        yield path, command


def test_every_command_prints_json_and_has_a_sentence() -> None:
    cli = build_cli(Plugins())
    assert set(cli.commands) >= ASKED_FOR
    found = dict(leaves(cli))
    assert len(found) > 15
    for path, command in found.items():
        names = {name for parameter in command.params for name in parameter.opts}
        assert "--json" in names, path
        assert (command.help or "").strip(), path
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help or option.name == "seed", (path, option.name)


@pytest.fixture
def exit_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Runs the program in an empty folder: exit code, and what went to standard error."""
    monkeypatch.setattr("warnings.showwarning", warnings.showwarning)  # `main` replaces it: put it back afterwards
    monkeypatch.setenv("FORETELL_DATA", str(tmp_path / "absent"))
    monkeypatch.chdir(tmp_path)

    def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
        try:
            main(arguments)
        except SystemExit as e:
            return int(e.code or 0), capsys.readouterr().err
        return 0, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["plugins", "--json"], 0, ""),
        (["bench", "--json"], 0, ""),
        (["rank"], 2, "Missing argument"),
        (["nothing"], 2, "No such command"),
        (["predict", "x"], 2, "Missing option '--predictor'"),
        (["rank", "nothing", "--predictor", "gennape-nb101"], 1, "a model must be an ONNX file"),
        (
            ["predict", "x", "--predictor", "foretell-pretrained"],
            1,
            "holds several: name one of",
        ),
        (["bench", "nothing"], 1, "a benchmark must be one of"),
        (["bench", "few-shot", "--quick"], 1, "name its folder in FORETELL_DATA"),
        (["pretrain", "gennape-nb101"], 1, "name its folder in FORETELL_DATA"),
        (["finetune", "gennape-nb101", "--labels", "absent.csv"], 1, "labels are a CSV file"),
        (["explain", "nasbench_macro:02012100", "--predictor", "absent"], 1, "a checkpoint must be one of"),
        (["explain", "nasbench_macro:02012100", "--predictor", "gennape-nb101"], 1, "needs a predictor on columns"),
        (["search", "--start", "nb201-best", "--predictor", "absent"], 1, "a checkpoint must be one of"),
        (
            ["show", "nasbench_macro:02012100", "--out", "file/net.svg"],
            1,
            "files must be readable and folders writable",
        ),
        (["demo", "--folder", "file/demo"], 1, "files must be readable and folders writable"),
        (["report", "s", "--storage", "sqlite:///absent.db"], 1, "absent.db is not there: correct the URL"),
        (["report", "s", "--storage", "nonsense://x"], 1, "must be a storage that Optuna can open"),
        (["report", "s", "--storage", "file"], 1, "'s' is none of []"),
    ],
)
def test_exit_codes_and_sentences(exit_of, capsys, tmp_path: Path, arguments, code: int, says: str) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    if arguments[0] in {"demo", "report"}:
        pytest.importorskip("optuna")
    found, error = exit_of(capsys, *arguments)
    assert found == code, error
    assert says in error
    if code == 1:
        assert len([line for line in error.splitlines() if line.startswith("foretell: ")]) == 1
    assert not list(tmp_path.glob("*.db"))  # looking for a study makes none


def test_an_interruption_is_130(exit_of, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("foretell_plugins.cli.asdict", interrupted)
    code, error = exit_of(capsys, "plugins", "--json")
    assert (code, error.strip()) == (130, "interrupted; run the same command again to go on")


def test_the_codes_are_in_the_help() -> None:
    said = CliRunner().invoke(build_cli(Plugins(environment={}, entry_points=[])), ["--help"])
    assert "0 done, 1 not possible (one sentence says why), 2 wrong usage, 130 interrupted" in " ".join(
        said.output.split()
    )


@pytest.mark.parametrize(
    ("words", "incomplete", "offered"),
    [
        ([], "fin", "finetune"),
        (["naslib"], "se", "search"),
        (["bench"], "few", "few-shot"),
        (["bench", "few-shot"], "--me", "--methods"),
        (["show"], "nasbench20", "nasbench201:"),
        (["rank", "--predictor"], "gen", "gennape-nb101"),
        (["finetune"], "foretell-pretrained/nasbench101", "foretell-pretrained/nasbench101.test_acc"),
    ],
)
def test_completion(words: list[str], incomplete: str, offered: str) -> None:
    found = ShellComplete(build_cli(Plugins()), {}, "foretell", "_FORETELL_COMPLETE").get_completions(words, incomplete)
    assert offered in [item.value for item in found]


def test_a_shell_can_ask_for_it(exit_of, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_FORETELL_COMPLETE", "zsh_source")
    with pytest.raises(SystemExit) as left:
        main([])
    assert left.value.code in {0, None}
    assert "#compdef foretell" in capsys.readouterr().out


def test_plugins_as_json_is_one_value(exit_of, capsys) -> None:
    main(["plugins", "--json"])
    assert {"name", "status", "hooks"} <= set(json.loads(capsys.readouterr().out)[0])
