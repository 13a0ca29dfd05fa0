"""Checkpoints by name and folder; golden predictions of those that come with the package.

The golden numbers see a change of weights, of the graphs of cells, or of the code between; not whether they are good.
To make them anew: `python tests/core/test_checkpoints.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from foretell import Predictor
from foretell.capture import nasbench101, nasbench201, nasbench301, transnasbench101
from foretell.checkpoints import names
from foretell.errors import CheckpointError
from foretell.pretraining.gennape import Gennape
from foretell.surrogates import ExtraTrees

GOLDEN = Path(__file__).parent / "golden_checkpoints.json"
_LARGEST = 10_000_000


def networks():
    rng = np.random.default_rng(0)
    families = (nasbench101, nasbench201, nasbench301, transnasbench101)
    specs = [(family, family.sample(rng)) for family in families for _ in range(3)]
    return [family.graph(*spec) if family is nasbench101 else family.graph(spec) for family, spec in specs]


@pytest.mark.parametrize("name", ["gennape-nb101"])
def test_scores_are_the_golden_ones(name: str):
    gennape = Predictor.from_pretrained(name)
    assert isinstance(gennape, Gennape)
    np.testing.assert_allclose(gennape.scores(networks()), json.loads(GOLDEN.read_text())[name], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", names())
def test_a_checkpoint_is_whole_and_small(name: str):
    import foretell.checkpoints

    folder = Path(foretell.checkpoints.__file__).parent / name
    card = next(path for path in (folder / "README.md", folder.parent / "README.md") if path.is_file()).read_text(
        "utf-8"
    )
    for part in ("## Data", "licence", "## Split", "## Figures", "## Limits"):
        assert part in card
    assert sum(file.stat().st_size for file in folder.iterdir()) < _LARGEST


def test_a_folder_of_a_fitted_predictor_is_read_too(tmp_path):
    graphs = networks()
    fitted = Predictor(surrogate=ExtraTrees(n_trees=2)).fit(graphs, np.arange(len(graphs)))
    fitted.save(tmp_path)
    again = Predictor.from_pretrained(tmp_path)
    np.testing.assert_array_equal(again.predict(graphs).mean, fitted.predict(graphs).mean)


def test_what_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="must be one of"):
        Predictor.from_pretrained("gennape-nb102")
    (tmp_path / "config.json").write_text("no JSON")
    with pytest.raises(CheckpointError, match="must be JSON"):
        Predictor.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"kind": "oracle"}')
    with pytest.raises(CheckpointError, match="'oracle': update foretell"):
        Predictor.from_pretrained(tmp_path)


def test_loading_takes_half_a_second_beyond_torch():
    code = (
        "import time, torch, foretell\n"
        "start = time.process_time()\n"
        "foretell.Predictor.from_pretrained('gennape-nb101')\n"
        "print(time.process_time() - start)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert float(run.stdout) < 0.5


if __name__ == "__main__":
    found = {name: Predictor.from_pretrained(name).scores(networks()).round(6).tolist() for name in ["gennape-nb101"]}
    GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
