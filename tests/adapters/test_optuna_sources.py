"""`ForetellSampler(sources=...)`: what may be given, what is read, and what it does to a study."""

from __future__ import annotations

import pickle
from pathlib import Path

import optuna
import pytest

from foretell.errors import InvalidDataError
from foretell_adapters.optuna import ForetellSampler
from foretell_adapters.optuna.old_studies import ATTRIBUTE, TASK, read_old_studies, sources_for, weights_attribute

optuna.logging.set_verbosity(optuna.logging.WARNING)


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", -2, 2)
    act = trial.suggest_categorical("act", ["relu", "gelu"])
    rate = trial.suggest_float("lr", 1e-4, 1e-1, log=True) if act == "gelu" else 0.1
    return (x - 0.5) ** 2 + (0.3 if act == "relu" else 0.0) + abs(rate - 1e-2)


def accuracy(trial: optuna.Trial) -> float:
    """The same optimum in other bounds, the other direction and another unit, and one parameter more."""
    x = trial.suggest_float("x", -1, 3)
    act = trial.suggest_categorical("act", ["gelu", "tanh", "relu"])
    depth = trial.suggest_int("depth", 1, 4)
    return 90 - 10 * (x - 0.5) ** 2 - 3 * (act != "gelu") - 0.1 * depth


@pytest.fixture(scope="module")
def old() -> optuna.Study:
    study = optuna.create_study(study_name="old", sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=30)
    return study


def _run(sources: object, n: int = 8, seed: int = 0) -> optuna.Study:
    study = optuna.create_study(direction="maximize", sampler=ForetellSampler(seed=seed, sources=sources))  # type: ignore[arg-type]
    study.optimize(accuracy, n_trials=n)
    return study


def test_the_first_trial_is_where_the_old_study_was_best(old: optuna.Study) -> None:
    first = _run(old, n=1).trials[0]
    assert first.params["x"] == pytest.approx(0.5, abs=0.3)
    assert first.params["act"] == "gelu"


def test_weights_are_user_attributes(old: optuna.Study) -> None:
    trials = _run([old], n=8).trials
    assert ATTRIBUTE not in trials[0].user_attrs  # nothing is known of the space yet
    for trial in trials[1:]:
        assert set(trial.user_attrs[ATTRIBUTE]) == {"sources", "old"}
        assert 0 <= trial.user_attrs[ATTRIBUTE]["sources"] <= 1
    assert _run(None, n=2).trials[1].user_attrs == {}


def test_long_attributes_are_cut_to_the_largest_weights() -> None:
    weights = {"sources": (1.0,), **{f"study number {i}": (i / 300,) for i in range(300)}}
    kept = weights_attribute(weights)
    assert "sources" in kept
    assert "study number 299" in kept
    assert "study number 1" not in kept
    assert len(str(kept)) < 2048
    assert weights_attribute({"sources": (0.51234, 1.0)}) == {"sources": [0.512, 1.0]}


@pytest.fixture(scope="module")
def url(old: optuna.Study, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two old studies of ten trials, one of two objectives, an empty one and the present one, in a file."""
    url = f"sqlite:///{tmp_path_factory.mktemp('storage') / 'old.db'}"
    for name in ("first", "second"):
        optuna.create_study(study_name=name, storage=url).add_trials(old.trials[:10])
    optuna.create_study(study_name="empty", storage=url)
    two = optuna.create_study(study_name="two objectives", storage=url, directions=["minimize", "minimize"])
    number = optuna.distributions.FloatDistribution(0, 1)
    two.add_trial(optuna.trial.create_trial(values=[1.0, 2.0], params={"x": 0.5}, distributions={"x": number}))
    optuna.create_study(study_name="present", storage=url).add_trials(old.trials[:2])
    return url


@pytest.mark.parametrize("given", ["url", "storage", "list"])
def test_a_storage_gives_all_its_studies_but_the_present_one(url: str, given: str) -> None:
    present = optuna.load_study(study_name="present", storage=url)
    storage: object = {"url": url, "storage": present._storage, "list": [url]}[given]
    found = sources_for(present, read_old_studies(storage))  # type: ignore[arg-type]
    assert [s.name for s in found] == ["first", "second"]
    assert [len(s.observations) for s in found] == [10, 10]


def test_a_study_goes_on_in_the_storage_of_its_sources(url: str) -> None:
    present = optuna.load_study(study_name="present", storage=url, sampler=ForetellSampler(seed=0, sources=url))
    present.optimize(objective, n_trials=1)
    assert set(present.trials[-1].user_attrs[ATTRIBUTE]) == {"sources", "first", "second"}


def test_a_storage_gives_what_studies_in_memory_give(old: optuna.Study, url: str) -> None:
    memory = []
    for name in ("first", "second"):
        memory.append(optuna.create_study(study_name=name))
        memory[-1].add_trials(old.trials[:10])
    present = optuna.load_study(study_name="present", storage=url)
    stored = list(sources_for(present, read_old_studies(url)))
    assert stored == list(sources_for(present, read_old_studies(memory)))


def test_values_are_turned_so_that_larger_is_better(old: optuna.Study) -> None:
    (source,) = sources_for(optuna.create_study(direction="maximize"), read_old_studies(old))
    assert max(o.values[0] for o in source.observations) == -old.best_value


def test_several_objectives_are_matched_by_name_or_else_by_place() -> None:
    def study(directions: list[str], names: list[str] | None, values: list[float]) -> optuna.Study:
        made = optuna.create_study(directions=directions)
        if names is not None:
            made.set_metric_names(names)
        distributions = {"x": optuna.distributions.FloatDistribution(0, 1)}
        made.add_trial(optuna.trial.create_trial(values=values, params={"x": 0.5}, distributions=distributions))  # type: ignore[arg-type]
        return made

    present = study(["maximize", "minimize"], ["accuracy", "latency"], [0.9, 5.0])
    (turned,) = sources_for(
        present, read_old_studies(study(["minimize", "maximize"], ["latency", "accuracy"], [7.0, 0.8]))
    )
    assert turned.observations[0].values == (0.8, -7.0)
    (same,) = sources_for(present, read_old_studies(study(["maximize", "minimize"], None, [0.8, 7.0])))
    assert same.observations[0].values == (0.8, -7.0)
    for other in (
        study(["minimize", "maximize"], None, [7.0, 0.8]),
        study(["maximize", "minimize"], ["accuracy", "size"], [0.8, 7.0]),
        study(["maximize"], None, [0.8]),
    ):
        with pytest.raises(InvalidDataError, match=r"a source needs the study's objectives .*accuracy: maximize"):
            sources_for(present, read_old_studies(other))


def test_described_studies_count_by_how_near_their_task_is() -> None:
    def shifted(x: float, rows: int) -> optuna.Study:
        study = optuna.create_study(study_name=f"{rows} rows", sampler=optuna.samplers.RandomSampler(seed=rows))
        study.set_user_attr(TASK, {"rows": rows, "kind": "table"})
        study.optimize(lambda trial: (trial.suggest_float("x", -2, 2) - x) ** 2, n_trials=20)
        return study

    old = read_old_studies([shifted(0.3, 100), shifted(0.6, 100_000)])
    believed = []
    for rows in (None, 90, 200_000):
        study = optuna.create_study()
        if rows is not None:
            study.set_user_attr(TASK, {"rows": rows})
        (knowledge,) = sources_for(study, old).about(old[0].source.space)
        believed.append(knowledge.trust[0] / knowledge.trust.sum())
    assert believed[1] > believed[0] + 0.1
    assert believed[2] < believed[0] - 0.1


@pytest.mark.parametrize("task", [["rows"], {"rows": None}])
def test_a_description_that_is_none_is_named(old: optuna.Study, task: object) -> None:
    study = optuna.create_study(study_name="new")
    study.set_user_attr(TASK, task)
    with pytest.raises(InvalidDataError, match="must name numbers or words, but study 'new' has"):
        sources_for(study, read_old_studies(old))


def test_errors(old: optuna.Study, tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="a source needs finished trials"):
        ForetellSampler(sources=optuna.create_study())
    with pytest.raises(InvalidDataError, match=r"a storage of sources must be there, but .*none\.db is not"):
        ForetellSampler(sources=f"sqlite:///{tmp_path / 'none.db'}")
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(InvalidDataError, match="a storage of sources needs a study with finished trials"):
        ForetellSampler(sources=optuna.storages.InMemoryStorage())
    with pytest.raises(InvalidDataError, match="a source must be a study, a storage or its URL"):
        ForetellSampler(sources=[old, 3])  # type: ignore[list-item]


def test_a_storage_without_a_fitting_study_is_said_once(old: optuna.Study, caplog: pytest.LogCaptureFixture) -> None:
    optuna.logging.enable_propagation()
    try:
        present = optuna.create_study(directions=["minimize", "maximize"])
        assert not len(sources_for(present, read_old_studies(old._storage)))
        assert "No study among the 1 sources has the objectives" in caplog.text
    finally:
        optuna.logging.disable_propagation()


def test_studies_of_one_name_from_two_storages_are_told_apart(old: optuna.Study) -> None:
    other = optuna.create_study(study_name="old")
    other.add_trials(old.trials[:20])
    assert [s.name for s in sources_for(optuna.create_study(), read_old_studies([old, other]))] == ["old", "old'"]


def test_pickled_samplers_and_parallel_trials(old: optuna.Study) -> None:
    sampler = pickle.loads(pickle.dumps(ForetellSampler(seed=1, sources=old)))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(accuracy, n_trials=3)
    assert [t.params for t in study.trials] == [t.params for t in _run(old, n=3, seed=1).trials]
    running = optuna.create_study(direction="maximize", sampler=ForetellSampler(seed=1, sources=old))
    asked = [running.ask() for _ in range(6)]
    for trial in asked:
        accuracy(trial)
    assert len({str(t.params) for t in asked}) == 6
