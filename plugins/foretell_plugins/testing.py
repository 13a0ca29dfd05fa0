"""Tests that authors of adapters get for nothing: subclass `AdapterContract` and name the adapter."""

from __future__ import annotations

import functools
import subprocess
import sys
from unittest import mock

import pytest
from packaging.requirements import Requirement

from foretell.errors import MissingDependencyError
from foretell_plugins.records import Adapter
from foretell_plugins.registry import Plugins


class AdapterContract:
    """What every adapter must do.

    class TestMine(AdapterContract):
        name = "mine"
    """

    name: str

    def adapter(self) -> Adapter:
        """The adapter under test, as the registry found it."""
        found = Plugins().adapters
        assert self.name in found, f"no plugin announces {self.name!r}; there are {sorted(found)}"
        return found[self.name]

    def test_announcing_it_imports_no_framework(self) -> None:
        """The entry point must stay cheap."""
        assert not {_module(r) for r in self.adapter().requires} & _imported_by_announcing()

    def test_it_loads_when_its_framework_is_there(self) -> None:
        """The target exists and is a class."""
        adapter = self.adapter()
        assert not adapter.missing(), f"install the framework to run this test: {adapter.remedy}"
        assert isinstance(adapter.load(), type)

    def test_a_missing_framework_gives_the_remedy(self) -> None:
        """Without its framework the adapter says in one sentence what to install."""
        adapter = self.adapter()
        for requirement in adapter.requires[:1]:
            framework, package = _module(requirement), adapter.target.partition(".")[0]
            with mock.patch.dict(sys.modules):  # puts all back
                for name in list(sys.modules):
                    if name.partition(".")[0] == framework:
                        sys.modules[name] = None  # type: ignore[assignment]  # so that its import fails
                    elif name.startswith(f"{package}."):
                        del sys.modules[name]
                sys.modules[framework] = None  # type: ignore[assignment]
                with pytest.raises(MissingDependencyError, match="pip install"):
                    adapter.load()


def _module(requirement: str) -> str:
    return Requirement(requirement).name.replace("-", "_")


@functools.cache
def _imported_by_announcing() -> frozenset[str]:
    """The modules of a fresh process that has only asked which adapters there are."""
    code = "import sys; from foretell_plugins import Plugins; Plugins().adapters; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return frozenset(done.stdout.split())
