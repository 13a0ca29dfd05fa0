"""`foretell pretrain` on a small part of the real table."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from foretell.pretraining import pretrain_gennape
from foretell.pretraining.graph_encoder import EncoderSettings
from foretell_plugins.pretrain import pretrain


@pytest.mark.filterwarnings("ignore::foretell.errors.ForetellWarning")
def test_pretraining_ends_with_a_checkpoint_and_goes_on_where_it_stopped(tmp_path, monkeypatch, foretell_data):
    monkeypatch.setenv("FORETELL_DATA", str(foretell_data))
    small = pretrain_gennape.PretrainSettings(
        EncoderSettings(width=8), projected=4, contrast_epochs=1, head_epochs=1, whole_epochs=1, baseline_epochs=1
    )
    monkeypatch.setattr(pretrain_gennape, "PretrainSettings", lambda seed: small)
    arguments = ["gennape-nb101", "--networks", "100", "--out", str(tmp_path / "run")]
    first = CliRunner().invoke(pretrain, arguments, catch_exceptions=False)
    assert first.exit_code == 0
    assert "ensemble" in first.output
    assert (tmp_path / "run" / "checkpoint" / "model.safetensors").is_file()
    again = CliRunner().invoke(pretrain, arguments, catch_exceptions=False)
    assert [line for line in again.stdout.splitlines() if "spearman" in line] == [
        line for line in first.stdout.splitlines() if "spearman" in line
    ]
