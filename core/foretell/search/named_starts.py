"""Known good networks by short names, to begin a search with."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NAMED_STARTS: Mapping[str, str] = MappingProxyType(
    {
        # the best CIFAR-10 test accuracy of each table
        "nb201-best": "nasbench201:[2,2,0,2,2,3]",
        "nb101-best": 'nasbench101:[[[0,1,1,0,0,1,1],[0,0,0,0,0,1,0],[0,0,0,1,0,0,0],[0,0,0,0,1,0,0],[0,0,0,0,0,1,0],'
        '[0,0,0,0,0,0,1],[0,0,0,0,0,0,0]],["input","conv1x1-bn-relu","conv3x3-bn-relu","maxpool3x3",'
        '"conv3x3-bn-relu","conv3x3-bn-relu","output"]]',
        # second-order DARTS on CIFAR-10 (Liu et al., 2019, https://arxiv.org/abs/1806.09055, figures 4 and 5)
        "darts": 'nasbench301:[[[0,"sep_conv_3x3"],[1,"sep_conv_3x3"],[0,"sep_conv_3x3"],[1,"sep_conv_3x3"],'
        '[1,"sep_conv_3x3"],[0,"skip_connect"],[0,"skip_connect"],[2,"dil_conv_3x3"]],'
        '[[0,"max_pool_3x3"],[1,"max_pool_3x3"],[2,"skip_connect"],[1,"max_pool_3x3"],[0,"max_pool_3x3"],'
        '[2,"skip_connect"],[2,"skip_connect"],[1,"max_pool_3x3"]]]',
    }
)  # fmt: skip
"""Specifications as `foretell show` reads them."""
