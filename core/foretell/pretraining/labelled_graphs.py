"""What pretraining reads: folded graphs with accuracy, FLOPs and spectrum of each, kept on disk once made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foretell.candidate import Candidate
from foretell.encoders.laplacian_spectrum import LaplacianSpectrum
from foretell.errors import CheckpointError, ForetellError
from foretell.pretraining.folded_graphs import FoldedGraphs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jaxtyping import Float, Int

    from foretell.graph import ComputationGraph
    from foretell.pretraining.graph_encoder import EncoderSettings

_CHUNK = 2048


@dataclass(frozen=True, eq=False)
class LabelledGraphs:
    """G networks and what is known of them.

    Args:
        graphs: The networks, folded.
        accuracy: Of each after training, in [0, 1], G.
        gflops: FLOPs of one example in thousands of millions, a multiply-add counted as two, G.
        spectra: Smallest eigenvalues of the normalised Laplacian, G x q; no columns where they were not asked for.
    """

    graphs: FoldedGraphs
    accuracy: Float[np.ndarray, " G"]
    gflops: Float[np.ndarray, " G"]
    spectra: Float[np.ndarray, "G q"]

    def __len__(self) -> int:
        return len(self.accuracy)

    @property
    def shards(self) -> tuple[Int[np.ndarray, " G"], ...]:
        """Rows that lie together, see `ShardedGraphs`: here all."""
        return (np.arange(len(self)),)

    @classmethod
    def build(
        cls,
        build: Callable[[int], ComputationGraph],
        accuracy: Float[np.ndarray, " G"],
        settings: EncoderSettings,
        *,
        spectrum: LaplacianSpectrum | None = None,
        progress: bool = False,
    ) -> LabelledGraphs:
        """Build every network, a few thousand in memory at a time.

        Args:
            build: The i-th network's graph.
            accuracy: Of each, G.
            settings: Encoder that will read them.
            spectrum: Which eigenvalues, if any; graphs with the same edges share the work.
            progress: Whether to show a bar.
        """
        from tqdm.auto import tqdm

        parts, gflops, spectra = [], [], []
        known: dict[bytes, np.ndarray] = {}
        chunks = range(0, len(accuracy), _CHUNK)
        for low in tqdm(chunks, disable=not progress, desc="graphs", unit=f" x{_CHUNK}"):
            graphs = [build(i) for i in range(low, min(low + _CHUNK, len(accuracy)))]
            parts.append(settings.fold(graphs))
            gflops.append(np.array([g.flops for g in graphs]) / 1e9)
            if spectrum is not None:
                spectra.append(_spectra(graphs, spectrum, known))
        joined = np.concatenate(spectra) if spectra else np.zeros((len(accuracy), 0))
        return cls(FoldedGraphs.join(parts), np.asarray(accuracy, dtype=np.float64), np.concatenate(gflops), joined)

    def select(self, rows: Int[np.ndarray, " n"]) -> LabelledGraphs:
        """Some of them."""
        return LabelledGraphs(self.graphs.select(rows), self.accuracy[rows], self.gflops[rows], self.spectra[rows])

    def save(self, path: str | Path) -> None:
        """Write one safetensors file, which is complete or absent."""
        from safetensors.numpy import save_file

        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {f"graphs.{name}": np.ascontiguousarray(a) for name, a in self.graphs.to_arrays().items()}
        part = path.with_suffix(".part")
        save_file({**arrays, "accuracy": self.accuracy, "gflops": self.gflops, "spectra": self.spectra}, part)
        part.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> LabelledGraphs:
        """Read what `save` wrote.

        Raises:
            CheckpointError: If it is missing or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            arrays = load_file(path)
            graphs = {k.removeprefix("graphs."): a for k, a in arrays.items() if k.startswith("graphs.")}
            found = cls(FoldedGraphs.from_arrays(graphs), arrays["accuracy"], arrays["gflops"], arrays["spectra"])
        except (OSError, KeyError, SafetensorError, ForetellError) as e:
            raise _damaged(path, repr(e)) from e
        numbers, n = (found.accuracy, found.gflops, found.spectra), found.graphs.size
        if any(a.dtype != np.float64 or a.shape[:1] != (n,) or not np.isfinite(a).all() for a in numbers):
            raise _damaged(path, "accuracies, GFLOPs and spectra must be finite, one a network")
        wrong = n and (found.gflops.min() < 0 or found.accuracy.min() < 0.0 or found.accuracy.max() > 1.0)
        if [a.ndim for a in numbers] != [1, 1, 2] or wrong:
            raise _damaged(path, "accuracies must be in [0, 1], GFLOPs not negative")
        return found

    @classmethod
    def load_labels(cls, path: str | Path) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, " G"]]:
        """Accuracies and GFLOPs of a file without its graphs.

        Raises:
            CheckpointError: If it is missing or damaged.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "np") as stored:  # type: ignore[no-untyped-call]
                accuracy, gflops = stored.get_tensor("accuracy"), stored.get_tensor("gflops")
        except (OSError, KeyError, SafetensorError) as e:
            raise _damaged(path, repr(e)) from e
        numbers = (accuracy, gflops)
        if any(a.dtype != np.float64 or a.shape != accuracy.shape[:1] or not np.isfinite(a).all() for a in numbers):
            raise _damaged(path, "accuracies and GFLOPs must be finite, one a network")
        return accuracy, gflops

    @classmethod
    def join(cls, parts: Sequence[LabelledGraphs]) -> LabelledGraphs:
        """The networks of all parts, in order."""
        arrays = [np.concatenate([getattr(part, n) for part in parts]) for n in ("accuracy", "gflops", "spectra")]
        return cls(FoldedGraphs.join([part.graphs for part in parts]), *arrays)


def _damaged(path: str | Path, why: str) -> CheckpointError:
    return CheckpointError(
        f"folded graphs must be in a file of ours, but {path} cannot be read ({why}): delete it, run again"
    )


def _spectra(
    graphs: Sequence[ComputationGraph], spectrum: LaplacianSpectrum, known: dict[bytes, np.ndarray]
) -> Float[np.ndarray, "graphs q"]:
    names = [len(g).to_bytes(4) + g.edges.tobytes() for g in graphs]
    new = {name: g for name, g in zip(names, graphs, strict=True) if name not in known}
    if new:
        found = spectrum.encode([Candidate(g) for g in new.values()]).values
        known |= dict(zip(new, found, strict=True))
    return np.stack([known[name] for name in names])
