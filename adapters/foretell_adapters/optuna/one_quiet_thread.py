"""How benches run studies: in one thread of torch, and with no word of Optuna's but errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import optuna

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def one_quiet_thread() -> Iterator[None]:
    """Meanwhile both hold; afterwards both are as before.

    >>> before = optuna.logging.get_verbosity()
    >>> with one_quiet_thread():
    ...     optuna.logging.get_verbosity() == optuna.logging.ERROR
    True
    >>> optuna.logging.get_verbosity() == before
    True
    """
    import torch

    threads, verbosity = torch.get_num_threads(), optuna.logging.get_verbosity()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        optuna.logging.set_verbosity(verbosity)
