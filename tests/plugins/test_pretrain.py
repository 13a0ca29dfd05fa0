"""`foretell pretrain` on a small part of the real table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner

from foretell.pretraining.pretrain_settings import PRETRAIN_SETTINGS
from foretell_plugins.pretrain import pretrain


@pytest.mark.filterwarnings("ignore::foretell.errors.ForetellWarning")
def test_pretraining_ends_with_a_checkpoint_and_goes_on_where_it_stopped(tmp_path, monkeypatch, foretell_data):
    monkeypatch.setenv("FORETELL_DATA", str(foretell_data))
    name = "gennape-nb101"
    whole = PRETRAIN_SETTINGS[name]
    epochs = dict.fromkeys(("contrast_epochs", "head_epochs", "whole_epochs", "pair_epochs", "baseline_epochs"), 1)
    small = replace(whole, encoder=replace(whole.encoder, width=8, hops=2), projected=4, **epochs)
    monkeypatch.setitem(PRETRAIN_SETTINGS, name, small)
    arguments = [name, "--networks", "100", "--out", str(tmp_path / "run")]
    first = CliRunner().invoke(pretrain, arguments, catch_exceptions=False)
    assert first.exit_code == 0
    assert "ensemble" in first.output
    assert (tmp_path / "run" / "checkpoint" / "model.safetensors").is_file()
    again = CliRunner().invoke(pretrain, arguments, catch_exceptions=False)
    assert [line for line in again.stdout.splitlines() if "spearman" in line] == [
        line for line in first.stdout.splitlines() if "spearman" in line
    ]
