"""How far paths stray on their way: lowest, highest, and deepest fall from the high so far, in one pass."""

from dataclasses import dataclass

import numpy as np

from engine.kernels.compiled import compiled
from engine.kernels.series import FloatArray, check_rows
from engine.kernels.threads import WORTH_SHARING, Span, shared


@dataclass(frozen=True, slots=True, kw_only=True)
class Excursions:
    """What each path reached; arrays of shape (n_paths,), log price.

    Parameters
    ----------
    lowest, highest : ndarray
        Row 0 included.
    deepest : ndarray
        Deepest fall below the high so far, zero or negative.
    """

    lowest: FloatArray
    highest: FloatArray
    deepest: FloatArray


def excursions(logs: FloatArray) -> Excursions:
    """Return how far each path strays.

    Parameters
    ----------
    logs : ndarray of shape (n_steps + 1, n_paths), log price

    Examples
    --------
    >>> found = excursions(np.array([[0.0], [0.2], [-0.1], [0.1]]))
    >>> found.lowest.tolist(), found.highest.tolist(), found.deepest.round(9).tolist()
    ([-0.1], [0.2], [-0.3])
    """
    check_rows("logs", logs)
    rows = np.ascontiguousarray(logs, dtype=np.float64)
    found = np.empty((3, rows.shape[1]))

    def stray(paths: Span) -> None:
        _stray(rows, found, paths)

    shared(stray, rows.shape[1], is_alone=rows.size < WORTH_SHARING)
    return Excursions(lowest=found[0], highest=found[1], deepest=found[2])


@compiled("void(float64[:,::1], float64[:,::1], UniTuple(int64, 2))")
def _stray(rows: FloatArray, found: FloatArray, paths: Span) -> None:
    """Fill lowest, highest and deepest, the rows of `found`, for a span of paths."""
    first, last = paths
    lowest, highest, deepest = found[0, first:last], found[1, first:last], found[2, first:last]
    lowest[:] = rows[0, first:last]
    highest[:] = lowest
    deepest[:] = 0.0
    for t in range(1, rows.shape[0]):
        row = rows[t, first:last]
        for i in range(row.size):
            x = row[i]
            lowest[i] = min(lowest[i], x)
            highest[i] = max(highest[i], x)
            deepest[i] = min(deepest[i], x - highest[i])
