"""Adapters: what they refuse, and what they say when their framework is missing."""

from __future__ import annotations

import pytest

from foretell.errors import MissingDependencyError, PluginError
from foretell_plugins import Adapter


def test_a_target_must_name_module_and_attribute() -> None:
    with pytest.raises(PluginError, match="must read `module:attribute`, but got 'click'"):
        Adapter(name="a", kind="k", requires=(), target="click")


def test_an_old_interface_version_gets_a_sentence() -> None:
    with pytest.raises(PluginError, match="interface version 1 can be used, but 'a' was written for 0"):
        Adapter(name="a", kind="k", requires=(), target="click:Group", api_version=0)


def test_a_requirement_must_be_readable() -> None:
    with pytest.raises(PluginError, match="must read as pip writes it"):
        Adapter(name="a", kind="k", requires=("???",), target="click:Group")


def test_missing_tells_absent_and_wrong_versions_apart() -> None:
    adapter = Adapter(name="a", kind="k", requires=("click>=999", "no-such-package"), target="click:Group")
    absent = adapter.missing()
    assert absent[0].startswith("click>=999 (installed: ")
    assert absent[1] == "no-such-package"


def test_a_bug_in_the_adapter_is_not_disguised_as_a_missing_framework() -> None:
    adapter = Adapter(name="a", kind="k", requires=("optuna",), target="a_module_of_ours_that_is_gone:X")
    with pytest.raises(ModuleNotFoundError) as caught:
        adapter.load()
    assert not isinstance(caught.value, MissingDependencyError)
