"""How fast the machine copies memory, as STREAM measures it."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable

import numpy as np

_BYTES = 512 << 20
_REPETITIONS = 5


class Copy:
    """Copies between buffers that are far larger than any cache.

    Args:
        threads: How many copy at once, each a part of its own.
        clock: Returns seconds.
    """

    def __init__(self, threads: int, clock: Callable[[], float]) -> None:
        size = _BYTES // threads
        self.clock = clock
        self.threads = threads
        # Written to, so that they are pages of their own.
        self.buffers = [(np.ones(size, np.uint8), np.ones(size, np.uint8)) for _ in range(threads)]

    def bytes_per_second(self) -> float:
        """Returns the best of some copies; a byte that is copied is one read and one written."""
        with concurrent.futures.ThreadPoolExecutor(self.threads) as pool:
            return 2 * _BYTES / min(self._seconds(pool) for _ in range(_REPETITIONS))

    def _seconds(self, pool: concurrent.futures.Executor) -> float:
        start = self.clock()
        for _ in pool.map(lambda pair: np.copyto(pair[1], pair[0]), self.buffers):
            pass
        return self.clock() - start
