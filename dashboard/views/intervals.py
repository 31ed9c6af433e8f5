"""Intervals that a count leaves open: Wilson's for a rate, the binomial's own for a count that is expected."""

import math

Z_95 = 1.959964
"""Two-sided 95% point of the normal distribution."""
_TAIL = 0.025


def wilson(wins: float, n: float) -> tuple[float, float]:
    """Return Wilson's 95% interval of a rate; of correlated cases pass what they are worth.

    Examples
    --------
    >>> [round(bound, 4) for bound in wilson(50, 100)]
    [0.4038, 0.5962]
    """
    rate, z2 = wins / n, Z_95**2
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def expected_counts(n: int, share: float) -> tuple[int, int]:
    """Return the counts that 95% of all samples of `n` lie between when each case counts with `share`.

    Examples
    --------
    >>> expected_counts(250, 0.1), expected_counts(20, 0.1), expected_counts(0, 0.1)
    ((16, 35), (0, 5), (0, 0))
    """
    low, below = None, 0.0
    for k in range(n + 1):
        below += math.comb(n, k) * share**k * (1 - share) ** (n - k)
        if low is None and below > _TAIL:
            low = k
        if below >= 1 - _TAIL:
            return low or 0, k
    return low or 0, n
