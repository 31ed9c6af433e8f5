"""A detector that says when forecasts are wrong in a way that chance does not explain, however often it is asked.

It reads the PITs of settled forecasts in time order, one stream per level, symbol and horizon. It may be asked after
every one of them: the chance of ever flagging a true forecast stays below the false alarm rate.
"""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike
from scipy.special import ndtri

from engine.kernels.calibration import as_pits
from engine.kernels.compiled import compiled
from engine.kernels.series import FloatArray, as_fraction

FALSE_ALARM_RATE = 0.01
"""Chance that a true forecast is flagged at any time, be it looked at for ever."""
_SPREADS = (1.2, 1.4, 1.7, 2.0, 2.6)
"""How many times wider than forecast the outcomes may be; the inverses for too wide forecasts."""
_SHIFTS = (0.2, 0.4, 0.7, 1.0)
"""By how many forecast deviations the outcomes may lie off."""
_EDGE = 1e-12
_LIFT = 1e120


class Fault(Enum):
    """What is wrong with a forecast."""

    TOO_NARROW = "too narrow"
    TOO_WIDE = "too wide"
    TOO_LOW = "too low"
    TOO_HIGH = "too high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Miscalibration:
    """What the PITs say so far.

    Parameters
    ----------
    n : int
        Settled forecasts that were looked at.
    flagged_at : int or None
        How many it took until the flag; it stays, so start a new row of PITs when the forecaster was mended.
    fault : Fault or None
        What it was flagged for; None without a flag.
    p_value : float
        Chance that a true forecast would ever have given such evidence; flagged from the false alarm rate down.
    evidence : dict of Fault to float
        Decimal logarithm of the evidence now: 2 is a hundred to one for that fault, negative is against it.
    """

    n: int
    flagged_at: int | None
    fault: Fault | None
    p_value: float
    evidence: dict[Fault, float]


def detect_miscalibration(
    pits: ArrayLike, false_alarm_rate: float = FALSE_ALARM_RATE
) -> Miscalibration:
    """Return whether and since when the forecasts are miscalibrated, and how.

    Parameters
    ----------
    pits : array_like of shape (n,), n >= 1
        In time order, of forecasts that don't overlap (every `spacing`-th).
    false_alarm_rate : float

    Notes
    -----
    Under a true forecast the normal score z of a PIT is a standard normal, whatever came before. Each fault is bet
    on: the stake is multiplied by the density of z under the fault over that under the truth, for five spreads or
    four shifts, from every moment on (the stake for a fault that begins at forecast j is 1 / (j (j + 1)), so a late
    fault is found too). The mean stake of a fault is a fair game that starts at 1; by Ville's inequality it ever
    reaches 4 / rate with a chance of at most rate / 4, and there are four faults.

    Forecasts whose outcomes are twice as wide as forecast are flagged within 45 in 99 of 100 cases, those twice too
    wide likewise; after 500 true ones within 65 and 90. A shift of half a deviation takes up to 150. A fitted GBM
    with normal returns is no more often flagged than the rate says from windows of 120 on.

    References
    ----------
    Ramdas, Grünwald, Vovk, Shafer: Game-theoretic statistics and safe anytime-valid inference. Stat. Sci. 38 (2023).
    Arnold, Henzi, Ziegel: Sequentially valid tests for forecast calibration. Ann. Appl. Stat. 17 (2023).

    Examples
    --------
    >>> calm = detect_miscalibration([0.1, 0.5, 0.9, 0.3, 0.7] * 20)
    >>> wild = detect_miscalibration([0.001, 0.999] * 20)
    >>> calm.flagged_at, wild.flagged_at, wild.fault.value
    (None, 3, 'too narrow')
    """
    u = as_pits(pits)
    rate = as_fraction("false_alarm_rate", false_alarm_rate)
    z: FloatArray = ndtri(np.clip(u, _EDGE, 1.0 - _EDGE))
    stakes = np.empty((len(Fault), u.size))
    _log_stakes(np.exp(_log_ratios(z)), _ENDS, stakes)
    best = stakes.max(axis=0)
    crossed = np.flatnonzero(best >= math.log(len(Fault) / rate))
    first = int(crossed[0]) if crossed.size else None
    return Miscalibration(
        n=int(u.size),
        flagged_at=None if first is None else first + 1,
        fault=None if first is None else list(Fault)[int(stakes[:, first].argmax())],
        p_value=min(1.0, len(Fault) * math.exp(-float(best.max()))),
        evidence={
            fault: float(stake) / math.log(10.0)
            for fault, stake in zip(Fault, stakes[:, -1], strict=True)
        },
    )


def _alternatives() -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return ln(density under an alternative / under the truth) as a square's, a line's and a level's factor of z.

    Shape (3, n_alternatives, 1), fault by fault, and where each fault's alternatives end.
    """
    rows: list[tuple[float, float, float]] = []
    ends = []
    for fault in Fault:
        if fault in (Fault.TOO_NARROW, Fault.TOO_WIDE):
            spreads = [s if fault is Fault.TOO_NARROW else 1.0 / s for s in _SPREADS]
            rows += [(0.5 * (1.0 - s**-2), 0.0, -math.log(s)) for s in spreads]
        else:
            shifts = [s if fault is Fault.TOO_LOW else -s for s in _SHIFTS]
            rows += [(0.0, s, -0.5 * s * s) for s in shifts]
        ends.append(len(rows))
    return np.array(rows).T[:, :, None].copy(), np.array(ends)


(_SQUARE, _LINE, _LEVEL), _ENDS = _alternatives()


def _log_ratios(z: FloatArray) -> FloatArray:
    """Return ln(density under each alternative / under the truth), shape (n_alternatives, n), fault by fault."""
    ratios: FloatArray = _SQUARE * (z * z) + _LINE * z + _LEVEL
    return ratios


@compiled("void(float64[:,::1], int64[::1], float64[:,::1])")
def _log_stakes(ratios: FloatArray, ends: npt.NDArray[np.int64], stakes: FloatArray) -> None:
    """Write the log of each fault's mean stake after each forecast into `stakes`, bets from every moment on included.

    Parameters
    ----------
    ratios : ndarray of shape (n_alternatives, n)
        Density under each alternative over that under the truth.
    ends : ndarray of shape (n_faults,)
        Where each fault's alternatives end.
    stakes : ndarray of shape (n_faults, n)

    Notes
    -----
    A stake beyond `_LIFT` is kept as its share of it: with the next ones it may leave the range of numbers. `shares`
    are 1 where none was lifted, else that many lifts' inverse.
    """
    n_alternatives, n = ratios.shape
    begun, shares = np.zeros(n_alternatives), np.ones(n_alternatives)
    lifted = np.zeros(n_alternatives, np.int64)
    log_lift = math.log(_LIFT)
    for t in range(n):
        # the stake placed before forecast t grows by the ratios from there on; the rest waits
        placed, waiting, begin = 1.0 / ((t + 1.0) * (t + 2.0)), 1.0 / (t + 2.0), 0
        for fault in range(ends.size):
            most, total = 0, 0.0
            for k in range(begin, ends[fault]):
                stake = (begun[k] + placed * shares[k]) * ratios[k, t]
                if stake > _LIFT:
                    stake /= _LIFT
                    lifted[k] += 1
                    shares[k] = _LIFT ** -lifted[k]
                elif lifted[k] > 0 and stake < 1.0 / _LIFT:
                    stake *= _LIFT
                    lifted[k] -= 1
                    shares[k] = _LIFT ** -lifted[k]
                begun[k] = stake
                most = max(most, lifted[k])
            for k in range(begin, ends[fault]):
                below = lifted[k] - most
                total += begun[k] * (1.0 if below == 0 else _LIFT**below)
            total += (ends[fault] - begin) * waiting * (1.0 if most == 0 else _LIFT**-most)
            stakes[fault, t] = math.log(total / (ends[fault] - begin)) + most * log_lift
            begin = ends[fault]
