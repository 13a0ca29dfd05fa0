"""Benchmarks' own files, as their authors publish them, read into a `Table` with nothing foreign executed."""

from foretell.benchmarks.official.find_official import find_official
from foretell.benchmarks.official.nasbench101_file import load_nasbench101
from foretell.benchmarks.official.nasbench201_file import load_nasbench201
from foretell.benchmarks.official.nasbench301_file import load_nasbench301
from foretell.benchmarks.official.transnasbench101_file import load_transnasbench101

__all__ = ["find_official", "load_nasbench101", "load_nasbench201", "load_nasbench301", "load_transnasbench101"]
