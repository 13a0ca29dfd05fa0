"""Programs as NNI's search spaces: what a trial gets makes the network that the program says."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.spaces import Chain, Layer, Space
from foretell.spaces.ready import heterogeneous, mobilenets, nasbench201_cells
from foretell_adapters.nni.program_space import search_space_json

pytest.importorskip("nni")
pytestmark = pytest.mark.nni

from foretell_adapters.nni import ForetellTuner

SPACES = {
    "cells": nasbench201_cells(4, 1), "mobile": mobilenets((3, 8, 8), (8,), 2), "text": heterogeneous(4, 9, 4, 2)
}  # fmt: skip


def graph_of_text(parameters: dict[str, object]) -> object:
    return SPACES["text"].graph(parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SPACES)
def test_the_tuner_s_parameters_make_networks(name: str) -> None:
    space = SPACES[name]
    tuner = ForetellTuner(seed=0, n_startup_trials=3)
    tuner.update_search_space(search_space_json(space))
    for i in range(4):
        parameters = tuner.generate_parameters(i)
        config = dict(space.trace(parameters).config)
        assert config.items() <= parameters.items()
        tuner.receive_trial_result(i, parameters, float(len(config)))
    assert space.build(parameters)(space.example()).shape[0] == 2


def test_the_tuner_sees_the_network_of_a_program() -> None:
    tuner = ForetellTuner(seed=0, n_startup_trials=3, graph=f"{__name__}:graph_of_text")
    tuner.update_search_space(search_space_json(SPACES["text"]))
    for i in range(4):
        parameters = tuner.generate_parameters(i)
        tuner.receive_trial_result(i, parameters, SPACES["text"].graph(parameters).params / 1e3)


def test_all_kinds_of_numbers_come_back() -> None:
    kinds = {
        "a": IntDistribution(1, 9), "b": IntDistribution(1, 9, step=4), "c": IntDistribution(1, 64, log=True),
        "d": FloatDistribution(0.0, 1.0), "e": FloatDistribution(1e-3, 1.0, log=True),
        "f": FloatDistribution(0.0, 1.0, step=0.25), "g": CategoricalDistribution(("x", "y")),
    }  # fmt: skip
    space = Space(Chain(only=Layer("only", lambda shape, **values: None, kinds)), (1,))  # type: ignore[arg-type,return-value]
    tuner = ForetellTuner(seed=int(np.int64(1)))
    tuner.update_search_space(search_space_json(space))
    for i in range(10):
        parameters = tuner.generate_parameters(i)
        assert space.trace(parameters).config == parameters
        tuner.receive_trial_result(i, parameters, float(i))
