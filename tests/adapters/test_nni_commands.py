"""`foretell nni register` and `unregister`, in a configuration directory of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from foretell.errors import ForetellError
from foretell_adapters.nni.commands import nni_group

pytest.importorskip("nni")
pytestmark = pytest.mark.nni


@pytest.fixture(autouse=True)
def config_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NNI_CONFIG_DIR", str(tmp_path))
    return tmp_path


def test_registered_name_makes_our_tuner_with_its_arguments(config_directory: Path) -> None:
    from nni.tools.package_utils import create_builtin_class_instance
    from nni.tools.package_utils.tuner_factory import create_validator_instance

    for _ in range(2):  # once more changes nothing
        result = CliRunner().invoke(nni_group, ["register"], catch_exceptions=False)
        assert result.exit_code == 0
        assert str(config_directory) in result.output
    made = create_builtin_class_instance("foretell", {"seed": 7}, "tuners")
    assert type(made).__name__ == "ForetellTuner"
    assert "seed=7" in repr(made)
    assert type(create_validator_instance("tuners", "Foretell")).__name__ == "ForetellClassArgsValidator"


def test_unregister_leaves_other_algorithms(config_directory: Path) -> None:
    from nni.tools.package_utils import AlgoMeta, get_algo_meta, register_algo_meta

    other = {"builtinName": "Other", "className": "other.Tuner", "source": "user", "nniVersion": "3.0"}
    register_algo_meta(AlgoMeta.load(other, "tuner"))
    before = (config_directory / "registered_algorithms.yml").read_text()
    for command in ("register", "unregister"):
        assert CliRunner().invoke(nni_group, [command], catch_exceptions=False).exit_code == 0
    assert (config_directory / "registered_algorithms.yml").read_text() == before
    assert get_algo_meta("Foretell") is None
    assert get_algo_meta("Other") is not None


def test_unregister_of_nothing_is_answered_with_a_sentence() -> None:
    with pytest.raises(ForetellError, match="only a registered algorithm can be unregistered"):
        CliRunner().invoke(nni_group, ["unregister"], catch_exceptions=False)
