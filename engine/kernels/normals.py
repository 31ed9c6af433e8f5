"""Standard normals, made from Philox words in float32.

Every number is a fixed function of (seed, stream, row, place in the row); logarithm and sine are
polynomials of our own, so they run in vector lanes and give the same bits on every processor.

References
----------
Box, Muller (1958), Annals of Mathematical Statistics 29. Moshier, Cephes: the polynomials of logf and sinf.
"""

import math

import numpy as np

from engine.kernels.compiled import compiled
from engine.kernels.philox import GROUP, Key, Place, WordArray, group_words
from engine.kernels.series import Float32Array

USE_NORMALS = np.uint64(1)

_PAIRS = GROUP // 2
"""The first half of a group's words gives radii, the second angles."""

_f = np.float32
_i = np.int32
_u = np.uint32
_PER_WORD = _f(2.0**-32)
_QUARTER_TURN = _f(math.pi / 2 * 2.0**-32)
_LN2 = _f(math.log(2))
_HALF, _ONE, _TWO = _f(0.5), _f(1.0), _f(2.0)
_SIGN, _NEXT_BIT = _u(0x80000000), _u(0x40000000)
_ROOT_HALF = _i(0x3F3504F3)
"""Bits of sqrt(1/2): a mantissa is taken from [sqrt(1/2), sqrt(2))."""
_MANTISSA, _MANTISSA_BITS = _i(0x007FFFFF), _i(23)


@compiled(is_inlined=True)
def minus_log_uniform(word: np.uint32) -> np.float32:
    """Return ``-ln u`` of ``u = (word + 1/2) / 2**32``: 0 to 22.9, relative error below 2e-7 of the rounded u."""
    u = (_f(word) + _HALF) * _PER_WORD
    shifted = _i(_f(u).view(np.int32) - _ROOT_HALF)
    exponent = _f(_i(shifted >> _MANTISSA_BITS))
    x = _i(_i(shifted & _MANTISSA) + _ROOT_HALF).view(np.float32) - _ONE
    p = _f(7.0376836292e-2) * x - _f(1.1514610310e-1)
    p = p * x + _f(1.1676998740e-1)
    p = p * x - _f(1.2420140846e-1)
    p = p * x + _f(1.4249322787e-1)
    p = p * x - _f(1.6668057665e-1)
    p = p * x + _f(2.0000714765e-1)
    p = p * x - _f(2.4999993993e-1)
    p = p * x + _f(3.3333331174e-1)
    square = x * x
    return -(p * x * square - _HALF * square + x + exponent * _LN2)


@compiled(is_inlined=True)
def _with_sign(x: np.float32, sign: np.uint32) -> np.float32:
    return _u(_f(x).view(np.uint32) ^ sign).view(np.float32)


@compiled(is_inlined=True)
def turn(word: np.uint32) -> tuple[np.float32, np.float32]:
    """Return cosine and sine of the angle whose quadrant is the word's top two bits and whose rest fills it.

    The angle is ``(top + r) pi / 2`` with r in [-1/2, 1/2): uniform on the circle; absolute error below 1e-7.
    """
    x = _f(_i(_u(word << _u(2)))) * _QUARTER_TURN
    square = x * x
    p = (_f(-1.9515295891e-4) * square + _f(8.3321608736e-3)) * square - _f(1.6666654611e-1)
    sine = p * square * x + x
    p = (_f(2.443315711809948e-5) * square - _f(1.388731625493765e-3)) * square
    cosine = (p + _f(4.166664568298827e-2)) * square * square - _HALF * square + _ONE
    is_odd = _u(word & _NEXT_BIT) != _u(0)
    along = sine if is_odd else cosine
    across = cosine if is_odd else sine
    return (
        _with_sign(along, _u(_u(word ^ _u(word << _u(1))) & _SIGN)),
        _with_sign(across, _u(word & _SIGN)),
    )


@compiled()
def group_normals(
    group: int, place: Place, key: Key, lanes: WordArray, normals: Float32Array
) -> None:
    """Fill `normals`, of length GROUP, with one group of a row by Box and Muller; `lanes` is working space of GROUP.

    Notes
    -----
    The largest is 6.76; one in 4e10 lies beyond 6.7. Against the same words in double precision a number is off by at
    most 1.5e-6, by 3.1e-6 where its Box-Muller radius is below 0.1, and by 3e-4 where it is below 0.01, which is one in
    20,000.
    """
    group_words(group, place, key, lanes)
    radial, angular = lanes[:_PAIRS], lanes[_PAIRS:]
    along, across = normals[:_PAIRS], normals[_PAIRS:]
    for i in range(_PAIRS):
        radius = np.sqrt(_TWO * minus_log_uniform(radial[i]))
        cosine, sine = turn(angular[i])
        along[i] = radius * cosine
        across[i] = radius * sine
