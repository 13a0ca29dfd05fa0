"""One network that holds all cells of NAS-Bench-201: weights for every cell at once, and cells found by gradients."""

from foretell.one_shot.cosine_power import CosinePower
from foretell.one_shot.differentiable_search import DifferentiableSearch, FoundCell
from foretell.one_shot.mixing import MaxW, Mixing, Softmax
from foretell.one_shot.path_sampling import PathSampling
from foretell.one_shot.resource_limit import ResourceLimit
from foretell.one_shot.shared_weights import SharedWeights
from foretell.one_shot.supernet import Supernet, path
from foretell.one_shot.voting_teachers import VotingTeachers
from foretell.one_shot.weight_training import WeightTraining

__all__ = [
    "CosinePower",
    "DifferentiableSearch",
    "FoundCell",
    "MaxW",
    "Mixing",
    "PathSampling",
    "ResourceLimit",
    "SharedWeights",
    "Softmax",
    "Supernet",
    "VotingTeachers",
    "WeightTraining",
    "path",
]
