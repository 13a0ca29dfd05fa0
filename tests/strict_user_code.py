"""What a user writes, for pyright's strict mode: `test_types.py` reads it, nobody runs it."""

from __future__ import annotations

import optuna
import torch
from torch import nn

from foretell import (
    BayesianOptimizer,
    Candidate,
    CategoricalDistribution,
    ComputationGraph,
    ExtraTrees,
    FloatDistribution,
    GraphStatistics,
    Hyperparameters,
    IntDistribution,
    Node,
    Observation,
    Predictor,
    SearchSpace,
)
from foretell.capture import nasbench201
from foretell.explain import explain_columns, explain_operators, heat_map_svg
from foretell.frames import posterior_frame
from foretell.pyg_data import from_pyg, to_pyg
from foretell.ranking import rank_graphs
from foretell.regressor import ForetellRegressor
from foretell_adapters.optuna import ForetellPruner, ForetellSampler, StopWhenDone
from foretell_plugins import hookimpl


def build(params: dict[str, object]) -> nn.Module:
    width = params["width"]
    assert isinstance(width, int)
    return nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, 1))


def objective(trial: optuna.Trial) -> float:
    return trial.suggest_float("x", -5, 5) ** 2 + trial.suggest_int("width", 1, 8)


sampler = ForetellSampler(seed=0, graph=build, example_inputs=torch.zeros(1, 8))
study = optuna.create_study(sampler=sampler, pruner=ForetellPruner())
study.optimize(objective, n_trials=3, callbacks=[StopWhenDone()])
print(sampler.interval(study, {"x": 1.0, "width": 3}))

graphs = [ComputationGraph.from_module(build({"width": w}), torch.zeros(1, 8)) for w in (1, 2, 4)]
predictor = Predictor.preset("foretell").fit(graphs, [0.1, 0.2, 0.3])
posterior = predictor.predict(graphs)
low = posterior.quantile(0.05)
print(low.tolist(), posterior.mean.max(), posterior.std, predictor.rank(graphs)[0])
choice = CategoricalDistribution(("x", "y"))
space = SearchSpace({"lr": FloatDistribution(1e-4, 1e-1, log=True), "n": IntDistribution(1, 3), "a": choice})
joint = Predictor((Hyperparameters(space), GraphStatistics()), ExtraTrees())
joint.fit([Candidate(g, {"lr": 1e-3}) for g in graphs], [0.1, 0.2, 0.3])
joint.save("folder")
again = Predictor.load("folder")
pretrained = Predictor.from_pretrained("gennape-nb101")
print(pretrained.rank(graphs), again.predict(graphs).mean)
optimizer = BayesianOptimizer(space)
node = Node("ReLU", (1, 1, 1), (1, 1, 1))
print(node.op, optimizer, Observation({"lr": 1e-3}, (1.0,)))
for row in rank_graphs(predictor, {"a": graphs[0]}):
    print(row.name, row.predicted, row.in_domain)
print(explain_columns(predictor, graphs[0], graphs[1:]).largest(3))
print(heat_map_svg(explain_operators(predictor, graphs[0])))
print(len(posterior_frame(posterior)))
print(from_pyg(to_pyg(graphs[0])), nasbench201.graph((2, 2, 2, 2, 2, 2)).params)
model = ForetellRegressor()
print(model.fit([[0.0], [1.0]], [0.0, 1.0]).predict([[0.5]]))


@hookimpl
def foretell_register_encoders(register: object) -> None:
    print(register)
