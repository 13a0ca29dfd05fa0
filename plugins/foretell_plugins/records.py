"""What the registry keeps: announced adapters, and the state of each plugin."""

from __future__ import annotations

import importlib
import importlib.metadata
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement

from foretell.errors import MissingDependencyError, PluginError

API_VERSION = 1


@dataclass(frozen=True, slots=True)
class Adapter:
    """A binding to a framework, announced but not imported.

    Args:
        name: Unique name.
        kind: What it is in the framework's terms: sampler, tuner, strategy, predictor, ...
        requires: Requirements that must be installed, as pip writes them; the first names the framework.
        target: `module:attribute` of the class.
        extra: What pip installs to get them; by default the first requirement.
        api_version: Version of this interface that it was written for.

    Raises:
        PluginError: If the target or a requirement cannot be read, or the version is another.
    """

    name: str
    kind: str
    requires: tuple[str, ...]
    target: str
    extra: str = ""
    api_version: int = API_VERSION

    def __post_init__(self) -> None:
        if self.target.count(":") != 1 or not all(self.target.split(":")):
            msg = f"an adapter's target must read `module:attribute`, but got {self.target!r}: mend the plugin"
            raise PluginError(msg)
        if self.api_version != API_VERSION:
            msg = (
                f"adapters of interface version {API_VERSION} can be used, but {self.name!r} was written for "
                f"{self.api_version}: update its package or foretell"
            )
            raise PluginError(msg)
        for text in self.requires:
            try:
                Requirement(text)
            except InvalidRequirement as e:
                msg = f"a requirement must read as pip writes it, but {self.name!r} has {text!r}: mend the plugin"
                raise PluginError(msg) from e

    @property
    def remedy(self) -> str:
        """The command that installs what it needs."""
        return f"pip install '{self.extra or ' '.join(self.requires)}'"

    def missing(self) -> list[str]:
        """Requirements that are absent or of the wrong version; imports nothing."""
        lacking = []
        for text in self.requires:
            requirement = Requirement(text)
            try:
                version = importlib.metadata.version(requirement.name)
            except importlib.metadata.PackageNotFoundError:
                lacking.append(text)
            else:
                if not requirement.specifier.contains(version, prereleases=True):
                    lacking.append(f"{text} (installed: {version})")
        return lacking

    def load(self) -> object:
        """Import the class.

        Raises:
            MissingDependencyError: If its framework is absent.
            ImportError: If its own code fails to import; a bug there is not disguised as a missing package.
        """
        module, attribute = self.target.split(":")
        needed = {Requirement(text).name.replace("-", "_") for text in self.requires}
        try:
            return getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as e:
            if e.name is None or e.name.split(".")[0] not in needed:
                raise
            msg = (
                f"the {self.name!r} adapter needs {' and '.join(self.requires)}, but {e.name} is absent: {self.remedy}"
            )
            raise MissingDependencyError(msg) from e


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """The state of one plugin.

    Attributes:
        name: Name of its entry point.
        distribution: Package that announced it, empty if registered by hand.
        version: That package's version.
        hooks: Hooks that it implements.
        status: `ok`, `disabled`, or `broken`.
        cause: Why it is broken, in one line.
    """

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...]
    status: str
    cause: str = ""
