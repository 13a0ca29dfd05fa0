"""Tests that authors of adapters get for nothing: subclass `AdapterContract` and name the adapter."""

from __future__ import annotations

import subprocess
import sys

from packaging.requirements import Requirement

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
        frameworks = [Requirement(r).name.replace("-", "_") for r in self.adapter().requires]
        code = (
            "import sys; from foretell_plugins import Plugins; Plugins().adapters; "
            f"sys.exit(any(name in sys.modules for name in {frameworks!r}))"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

    def test_it_loads_when_its_framework_is_there(self) -> None:
        """The target exists and is a class."""
        adapter = self.adapter()
        assert not adapter.missing(), f"install the framework to run this test: {adapter.remedy}"
        assert isinstance(adapter.load(), type)

    def test_a_missing_framework_gives_the_remedy(self) -> None:
        """Without its framework the adapter says in one sentence what to install."""
        adapter = self.adapter()
        for requirement in adapter.requires[:1]:
            module = Requirement(requirement).name.replace("-", "_")
            code = (
                f"import sys; sys.modules[{module!r}] = None\n"
                "from foretell_plugins import Plugins\n"
                "from foretell.errors import MissingDependencyError\n"
                f"try: Plugins().adapters[{self.name!r}].load()\n"
                "except MissingDependencyError as e: sys.exit(0 if 'pip install' in str(e) else 1)\n"
                "sys.exit(2)"
            )
            assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
