"""Spaces that are ready to search, one file a family."""

from foretell.spaces.ready.darts import darts_cells
from foretell.spaces.ready.einspace import einspace_images, einspace_tokens
from foretell.spaces.ready.mobilenet import mobilenets
from foretell.spaces.ready.nasbench101 import nasbench101_cells
from foretell.spaces.ready.nasbench201 import nasbench201_cells
from foretell.spaces.ready.transformer import heterogeneous, interleavings
from foretell.spaces.ready.transnasbench101 import transnasbench101_cells

__all__ = [
    "darts_cells",
    "einspace_images",
    "einspace_tokens",
    "heterogeneous",
    "interleavings",
    "mobilenets",
    "nasbench101_cells",
    "nasbench201_cells",
    "transnasbench101_cells",
]
