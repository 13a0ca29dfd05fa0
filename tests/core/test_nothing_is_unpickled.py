"""No line of the three packages unpickles, or runs text."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(p for root in ("core", "plugins", "adapters") for p in (ROOT / root).rglob("*.py"))
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "jsonpickle"}
CALLS = {"eval", "exec", "compile", "__import__"}
LOADS = {"torch.load", "joblib.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "numpy.load", "os.system"}


def findings(code: str) -> list[str]:
    """What in a module could run what a file says."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            pickled = [k for k in node.keywords if k.arg == "allow_pickle" and ast.unparse(k.value) != "False"]
            shell = [k for k in node.keywords if k.arg == "shell" and ast.unparse(k.value) != "False"]
            if name in CALLS or name in LOADS or pickled or shell:
                found.append(ast.unparse(node)[:80])
    return found


@pytest.mark.parametrize("root", ["core", "plugins", "adapters"])
def test_nothing_is_unpickled_or_run(root: str) -> None:
    files = [path for path in FILES if path.is_relative_to(ROOT / root)]
    assert len(files) > 5
    assert not {str(path): found for path in files if (found := findings(path.read_text("utf-8")))}


@pytest.mark.parametrize(
    "code",
    ["import pickle", "from pickle import loads", "torch.load(p)", "np.load(p, allow_pickle=True)", "eval(x)",
     "yaml.load(x)", "subprocess.run(x, shell=True)"],
)  # fmt: skip
def test_the_search_finds_what_it_should(code: str) -> None:
    assert findings(code)


def test_what_is_alike_is_left_alone() -> None:
    assert not findings("module.eval()\nyaml.safe_load(x)\nnp.load(p)\nnp.load(p, allow_pickle=False)\nre.compile(x)")
