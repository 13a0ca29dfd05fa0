"""LightGBM's text of boosted trees, checked and written anew, so that its reader sees no text of others.

LightGBM reads a model in C++ and believes its sizes and positions: a wrong one ends the process. Out of a checkpoint
that others may have written, only numbers are taken, after each of them has been checked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST_LEAVES, _MOST_COLUMNS = 4096, 2**20
_WHOLE = ("split_feature", "decision_type", "left_child", "right_child", "leaf_count", "internal_count")
_NODES = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child", "internal_value",
          "internal_weight", "internal_count")  # fmt: skip
_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
_ORDER = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child", "leaf_value",
          "leaf_weight", "leaf_count", "internal_value", "internal_weight", "internal_count")  # fmt: skip
_FIXED = {"num_class": "1", "num_tree_per_iteration": "1", "objective": "regression", "version": "v4"}
_NUMBER = r"[-+0-9.e]{1,32}"
_INFO = re.compile(rf"none|\[{_NUMBER}:{_NUMBER}\]")


def sound_trees(text: bytes) -> bytes:
    """The same trees in a text of ours.

    Raises:
        CheckpointError: If the text is no regression by trees over plain numbers, as LightGBM 4 writes it.
    """
    try:
        head, *trees = _blocks(text.decode("ascii"))
        return _written(head, trees)
    except (ValueError, KeyError, IndexError, OverflowError) as e:
        msg = f"stored trees must be what LightGBM 4 writes of a regression, but are not ({e!r}): save them again"
        raise CheckpointError(msg) from e


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """The head, then each tree, as values by name."""
    block: dict[str, str] = {}
    for line in text.split("\n"):
        if line.startswith(("Tree=", "end of trees")):
            yield block
            block = {}
        if line.startswith("end of trees"):
            return
        name, _, value = line.partition("=")
        block[name] = value
    raise ValueError("the text has no end")


def _written(head: Mapping[str, str], trees: list[dict[str, str]]) -> bytes:
    wrong = {name: head.get(name) for name, value in _FIXED.items() if head.get(name) != value}
    columns = int(head["max_feature_idx"]) + 1
    infos = head["feature_infos"].split(" ")
    if wrong or not 0 < columns <= _MOST_COLUMNS or len(infos) != columns or not all(map(_INFO.fullmatch, infos)):
        raise ValueError(f"a head with {wrong}, {columns} columns, {len(infos)} of them described")
    parts = [f"Tree={i}\n{_tree(tree, columns)}\n\n" for i, tree in enumerate(trees)]
    lines = [
        "tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0",
        f"max_feature_idx={columns - 1}", "objective=regression",
        "feature_names=" + " ".join(f"Column_{i}" for i in range(columns)), "feature_infos=" + " ".join(infos),
        "tree_sizes=" + " ".join(str(len(part)) for part in parts),
    ]  # fmt: skip
    return ("\n".join(lines) + "\n\n" + "".join(parts) + "end of trees\n").encode()


def _tree(tree: Mapping[str, str], columns: int) -> str:
    leaves = int(tree["num_leaves"])
    if not 1 <= leaves <= _MOST_LEAVES or tree["num_cat"] != "0" or tree.get("is_linear", "0") != "0":
        raise ValueError(f"a tree of {leaves} leaves, num_cat={tree['num_cat']}")
    kept: dict[str, str] = {}
    found: dict[str, np.ndarray] = {}
    for name in _ORDER:
        if name not in tree and leaves == 1 and name != "leaf_value":
            continue  # a tree that asks nothing says no more
        tokens = tree[name].split()
        wanted = leaves - 1 if name in _NODES else leaves
        whole = name in _WHOLE
        if len(tokens) != wanted and not (leaves == 1 and name != "leaf_value" and len(tokens) <= 1):
            raise ValueError(f"{name} has {len(tokens)} numbers, and {wanted} are needed")
        if any(len(token) > 32 for token in tokens):
            raise ValueError(f"{name} has a number of {max(map(len, tokens))} digits")
        found[name] = np.array([int(t) if whole else float(t) for t in tokens], dtype=np.int64 if whole else np.float64)
        if not np.isfinite(found[name]).all():
            raise ValueError(f"{name} is not finite")
        kept[name] = (
            " ".join(str(n) for n in found[name].tolist()) if whole else " ".join(map(repr, found[name].tolist()))
        )
    if leaves > 1:
        _check_nodes(found, leaves, columns)
    shrinkage = float(tree["shrinkage"])
    if not np.isfinite(shrinkage):
        raise ValueError("shrinkage is not finite")
    arrays = "\n".join(f"{name}={kept[name]}" for name in _ORDER if name in kept)
    return f"num_leaves={leaves}\nnum_cat=0\n{arrays}\nis_linear=0\nshrinkage={shrinkage!r}\n"


def _check_nodes(found: Mapping[str, np.ndarray], leaves: int, columns: int) -> None:
    """Every node but the first, and every leaf, is the child of one node before it."""
    children = np.concatenate([found["left_child"], found["right_child"]])
    nodes = np.arange(leaves - 1)
    inner = children[children >= 0]
    before = np.concatenate([nodes, nodes])[children >= 0]
    if not np.array_equal(np.sort(inner), nodes[1:]) or not bool((inner > before).all()):
        raise ValueError("a node is nobody's child, or its own descendant")
    if not np.array_equal(np.sort(-1 - children[children < 0]), np.arange(leaves)):
        raise ValueError("a leaf is nobody's child")
    feature, kind = found["split_feature"], found["decision_type"]
    if feature.min() < 0 or feature.max() >= columns or kind.min() < 0 or kind.max() > 15 or (kind % 2).any():
        raise ValueError("a column or a kind of question that is none")
