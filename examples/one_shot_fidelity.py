"""A supernet's score as a cheap level: believed as far as it agrees with what training the cells gives.

Run it with `python examples/one_shot_fidelity.py`. Cells of NAS-Bench-201, four channels, on digits of scikit-learn;
a supernet is trained once, then a search may ask for its score of a cell or for the cell to be trained.
"""

import sys
from dataclasses import replace

from foretell.benchmarks.small_tasks import digits, trained
from foretell.cross_fidelity import CrossFidelitySearch, FidelityTrial
from foretell.metrics import spearman_rho
from foretell.one_shot import PathSampling, SharedWeights, Supernet, WeightTraining
from foretell.spaces.ready import nasbench201_cells
from foretell.spaces.tree import distribution_tree

SUPERNET, TRAINED = 0, 1
image = (1, 8, 8)
task = replace(digits(), epochs=4, lr=1e-2)


def shared_weights(epochs):
    """Weights for all cells at once."""
    supernet = Supernet(channels=4, cells=1, image=image)
    PathSampling(WeightTraining(epochs)).train(supernet, task.inputs, task.labels)
    return SharedWeights(supernet, task.held_inputs[:200], task.held_labels[:200])


if __name__ == "__main__":
    trainings, epochs = map(int, (sys.argv + ["12", "30"][len(sys.argv) - 1 :])[1:3])
    shared, cells = shared_weights(epochs), nasbench201_cells(channels=4, cells=1, image=image)
    search = CrossFidelitySearch(distribution_tree(cells), costs=(0.1, 1.0), n_startup=4)
    trials = []
    while sum(t.level == TRAINED for t in trials) < trainings:
        job = search.suggest(trials)
        value = shared.value(job.config) if job.level == SUPERNET else -trained(cells, job.config, task)[0]
        trials.append(FidelityTrial(job.config, job.level, value))
    full = [t for t in trials if t.level == TRAINED]
    best = max(full, key=lambda t: t.value)
    agreement = spearman_rho([t.value for t in full], [shared.value(t.config) for t in full])
    print(f"{len(full)} cells trained, {len(trials) - len(full)} scores asked for")
    print(f"rank correlation of score and training: {agreement:.2f}; heard to {search.believe(trials).share:.0%}")
    print(f"best cell: loss {-best.value:.3f}, {cells.plan_of(best.config).text}")
