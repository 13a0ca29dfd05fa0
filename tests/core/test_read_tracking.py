"""Results found again by what a function read."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from foretell.read_tracking import ReadTree, TrackedConfig

CONFIGS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([0, 1, True, "x", None, 0.5]))


def branching(config: Any) -> Any:
    """Reads other keys depending on what it finds, in all the ways a dict is read."""
    if config.get("a") == 1:
        return ("one", config["b"] if "b" in config else 0)
    if config.get("c", 7) == "x":
        return ("all", sorted(config.items(), key=repr))
    return ("rest", len({**config}) if config.get("d") else None)


@given(st.lists(CONFIGS, min_size=1, max_size=30))
def test_what_is_found_is_what_the_function_gives(configs: list[dict[str, Any]]) -> None:
    tree: ReadTree[Any] = ReadTree()
    for config in configs:
        known, result = tree.find(config)
        tracked = TrackedConfig(config)
        expected = branching(tracked)
        assert expected == branching(dict(config))
        if known:
            assert repr(result) == repr(expected)
        else:
            tree.add(config, list(tracked.reads), expected)
            assert tree.find(config) == (True, expected)


def test_what_was_not_read_does_not_matter() -> None:
    tree: ReadTree[int] = ReadTree()
    tracked = TrackedConfig({"width": 8, "lr": 0.1})
    _ = tracked["width"]
    tree.add(tracked, list(tracked.reads), 42)
    assert tree.find({"width": 8, "lr": 0.9, "new": 1}) == (True, 42)
    assert tree.find({"width": 9, "lr": 0.1})[0] is False
    assert tree.find({"width": 8.0})[0] is False
    assert tree.find({})[0] is False


def test_looking_at_the_whole_reads_the_whole() -> None:
    looks = [dict, list, json.dumps, lambda c: (lambda **k: k)(**c), lambda c: {**c}, lambda c: c == {}, repr,
             lambda c: c | {}, lambda c: c.copy(), len, lambda c: list(c.values())]  # fmt: skip
    for look in looks:
        tracked = TrackedConfig({"a": 1, "b": 2})
        look(tracked)
        assert set(tracked.reads) == {"a", "b", ""}, look


def test_a_whole_read_tells_an_added_key_apart() -> None:
    tree: ReadTree[int] = ReadTree()
    tracked = TrackedConfig({"a": 1})
    dict(tracked)
    tree.add(tracked, list(tracked.reads), 1)
    assert tree.find({"a": 1}) == (True, 1)
    assert tree.find({"a": 1, "b": 2})[0] is False


def test_a_function_that_contradicts_itself_is_not_remembered_wrongly() -> None:
    tree: ReadTree[str] = ReadTree()
    tree.add({"a": 1, "b": 1}, ["a"], "first")
    tree.add({"a": 2, "b": 1}, ["b", "a"], "other order")
    tree.add({"a": 1, "b": 1}, ["a", "b"], "reads more")
    assert tree.find({"a": 1, "b": 1}) == (True, "first")
    assert tree.find({"a": 2, "b": 1})[0] is False
