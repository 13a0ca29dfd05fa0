"""What is known of latencies on other devices, and which networks tell most about a new one.

Notation: n networks, c columns of the encoded configuration, k devices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError
from foretell.surrogates.search_process import Layout, SearchProcess, fit_theta, prior_covariance
from foretell.unit_cube import UnitCube

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.distributions import Value
    from foretell.search_space import SearchSpace

_FIT_ROWS, _MOST_ROWS = 150, 500
_LIKE_OTHERS = 0.3  # variance that each device explains beforehand, of a standardised latency
_NOISE = 0.02


@dataclass(frozen=True, eq=False)
class KnownDevices:
    """One process a device, on the standardised logarithms of its milliseconds.

    Args:
        cube: The space of networks.
        names: Of the devices.
        processes: One each.
        centres: What is taken off the columns for each.
        thetas: Hyperparameters of each process.
    """

    cube: UnitCube
    names: tuple[str, ...]
    processes: tuple[SearchProcess, ...]
    centres: tuple[Float[np.ndarray, " c"], ...]
    thetas: tuple[Float[np.ndarray, " t"], ...]

    @classmethod
    def learn(
        cls,
        space: SearchSpace,
        measured: Mapping[str, tuple[Sequence[Mapping[str, Value]], Sequence[float]]],
    ) -> KnownDevices:
        """Fit to measurements; each device may have networks of its own, of more than 500 an even share counts.

        Args:
            space: What the networks' configurations are made of.
            measured: By device, configurations and their latencies in milliseconds; may be empty.

        Raises:
            InvalidDataError: If a device has fewer than four measurements, not one for each configuration, or one that
                is not positive and finite.
        """
        cube, found = UnitCube(space), []
        for name, (configs, milliseconds) in measured.items():
            z = log_milliseconds(configs, milliseconds, f"device {name!r}")
            rows = np.argsort(z, kind="stable")[np.linspace(0, len(z) - 1, min(len(z), _MOST_ROWS)).round().astype(int)]
            rows = np.sort(rows)
            z = (z[rows] - z[rows].mean()) / max(float(z[rows].std()), 1e-9)
            X = cube.encode(space.to_unit([configs[i] for i in rows.tolist()]))
            centre = X.mean(axis=0)
            some = np.linspace(0, len(z) - 1, min(len(z), _FIT_ROWS)).round().astype(int)
            theta = fit_theta(X[some] - centre, z[some], layout_of(cube))
            found.append((SearchProcess.condition_on(X - centre, z, layout_of(cube), theta), centre, theta))
        processes, centres, thetas = zip(*found, strict=True) if found else ((), (), ())
        return cls(cube, tuple(measured), processes, centres, thetas)

    def __len__(self) -> int:
        return len(self.names)

    def columns(self, configs: Sequence[Mapping[str, Value]]) -> Float[np.ndarray, "n c_plus_k"]:
        """Columns of the configurations, then what each device is expected to need, standardised."""
        X = self.cube.encode(self.cube.space.to_unit(list(configs)))
        expected = [p.predict(X - centre).mean for p, centre in zip(self.processes, self.centres, strict=True)]
        return np.concatenate([X, *(e[:, None] for e in expected)], axis=1)

    def worth_measuring(self, configs: Sequence[Mapping[str, Value]], n: int) -> list[int]:
        """Which networks to measure on a new device, the most telling first.

        Each is the one that takes most variance from all given ones together, if the new device is partly like the
        known ones and its own length scales are as theirs in the mean (A-optimal design, greedily).

        Args:
            configs: Networks to choose from, a few hundred random ones say; must be different.
            n: How many.

        Returns:
            Positions in `configs`.

        Raises:
            InvalidDataError: If there are fewer than n.
        """
        if not 0 < n <= len(configs):
            msg = f"networks to measure must be some of those given, but got {n=} of {len(configs)}: give more"
            raise InvalidDataError(msg)
        X, layout = self.columns(configs), layout_of(self.cube, len(self))
        own = np.mean(self.thetas, axis=0) if len(self) else fit_theta(X[:1], np.zeros(1), layout)
        theta = np.append(own, np.log(_LIKE_OTHERS)) if len(self) else own
        V = prior_covariance(X - X.mean(axis=0), layout, theta)
        found: list[int] = []
        for _ in range(n):
            gain = (V * V).sum(axis=0) / (np.diag(V) + _NOISE)
            gain[found] = -np.inf
            i = int(np.argmax(gain))
            found.append(i)
            V = V - np.outer(V[:, i], V[i]) / (V[i, i] + _NOISE)
        return found


def layout_of(cube: UnitCube, devices: int = 0) -> Layout:
    """Columns as a process sees them: those of the cube, then one block of straight effects, one column a device."""
    if not devices:
        return Layout(cube.groups, cube.blocks, cube.n_groups, cube.n_blocks)
    groups = np.append(cube.groups, np.full(devices, -1))
    blocks = np.append(cube.blocks, np.full(devices, cube.n_blocks))
    return Layout(groups, blocks, cube.n_groups, cube.n_blocks + 1)


def log_milliseconds(
    configs: Sequence[Mapping[str, Value]], milliseconds: Sequence[float], whose: str
) -> Float[np.ndarray, " n"]:
    """Their logarithms.

    Raises:
        InvalidDataError: If there are fewer than four, not one a configuration, or one is not positive and finite.
    """
    y = np.asarray(milliseconds, dtype=np.float64)
    if len(y) != len(configs) or len(y) < 4 or not bool(np.all((y > 0) & np.isfinite(y))):
        bad = y[~((y > 0) & np.isfinite(y))][:3].tolist()
        msg = (
            f"latencies must be four or more positive milliseconds, one a configuration, but {whose} has {len(y)} for "
            f"{len(configs)}{f', among them {bad}' if bad else ''}: leave out what was not measured"
        )
        raise InvalidDataError(msg)
    return np.log(y)
