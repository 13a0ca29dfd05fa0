"""`foretell nni register` and `unregister`, in a configuration directory of the test's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from foretell.errors import ForetellError, InvalidDataError
from foretell_adapters.nni.by_name import Foretell
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
    for name in ("Foretell", "ForetellAssessor"):
        made = create_builtin_class_instance(name, {"patience": 0.25}, "assessors")
        assert type(made).__name__ == "ForetellAssessor"
    with pytest.raises(InvalidDataError, match="patience, but got 'seed'"):
        create_builtin_class_instance("Foretell", {"seed": 7}, "assessors")
    create_validator_instance("tuners", "Foretell").validate_class_args(seed=3)
    create_validator_instance("assessors", "Foretell").validate_class_args(patience=0.3)
    with pytest.raises(InvalidDataError, match="got 'patience': drop it"):
        create_validator_instance("tuners", "Foretell").validate_class_args(patience=0.3)


def test_another_algorithm_registered_later_takes_nothing_away() -> None:
    from nni.tools.package_utils import AlgoMeta, create_builtin_class_instance, register_algo_meta

    assert CliRunner().invoke(nni_group, ["register"], catch_exceptions=False).exit_code == 0
    other = {"builtinName": "Other", "className": "other.Tuner", "source": "user", "nniVersion": "3.0"}
    register_algo_meta(AlgoMeta.load(other, "tuner"))
    for kind, name in (("tuners", "ForetellTuner"), ("assessors", "ForetellAssessor")):
        assert type(create_builtin_class_instance("Foretell", {}, kind)).__name__ == name


def test_looked_up_by_anything_else_it_says_what_to_write() -> None:
    with pytest.raises(InvalidDataError, match="write className: foretell_adapters.nni.ForetellTuner"):
        Foretell()


def test_unregister_leaves_other_algorithms(config_directory: Path) -> None:
    from nni.tools.package_utils import AlgoMeta, get_algo_meta, register_algo_meta

    other = {"builtinName": "Other", "className": "other.Tuner", "source": "user", "nniVersion": "3.0"}
    register_algo_meta(AlgoMeta.load(other, "tuner"))
    before = (config_directory / "registered_algorithms.yml").read_text()
    for command in ("register", "unregister"):
        assert CliRunner().invoke(nni_group, [command], catch_exceptions=False).exit_code == 0
    assert (config_directory / "registered_algorithms.yml").read_text() == before
    assert get_algo_meta("Foretell") is get_algo_meta("ForetellAssessor") is None
    assert get_algo_meta("Other") is not None


def test_unregister_of_nothing_is_answered_with_a_sentence() -> None:
    with pytest.raises(ForetellError, match="only a registered algorithm can be unregistered"):
        CliRunner().invoke(nni_group, ["unregister"], catch_exceptions=False)


def test_as_json_they_say_what_was_done(config_directory: Path) -> None:
    said = json.loads(CliRunner().invoke(nni_group, ["register", "--json"], catch_exceptions=False).stdout)
    assert said["names"] == {"tuner": "Foretell", "assessor": "Foretell"}
    assert Path(said["file"]).parent == config_directory
    said = json.loads(CliRunner().invoke(nni_group, ["unregister", "--json"], catch_exceptions=False).stdout)
    assert said == {"unregistered": ["Foretell", "ForetellAssessor"]}
