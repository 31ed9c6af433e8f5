"""Philox-4x32-10: random words by counter, so any part of any stream can be made at any time by any thread.

The key is the seed; the counter is (block, row, stream, use), and every use has its own last word, so no two share a
number. Words of a row are laid out in groups of 256 = 4 words x 64 lanes: word w of the group's block l stands at
``64 w + l``, whatever the length of the row.

References
----------
Salmon, Moraes, Dror, Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC'11.
"""

import numpy as np
from numpy.typing import NDArray

from engine.domain.errors import must
from engine.kernels.compiled import compiled

WordArray = NDArray[np.uint32]
Key = tuple[np.uint64, np.uint64]
"""Low and high half of the seed, each below 2**32."""
Place = tuple[np.uint64, np.uint64, np.uint64]
"""Row, stream and use: the upper three words of the counter, each below 2**32."""

LANES = 64
"""Blocks that are made together; a multiple of what any vector unit holds."""
GROUP = 4 * LANES

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


@compiled(is_inlined=True)
def philox(
    a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64, k: np.uint64, m: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the block of four words of counter (a, b, c, d) under key (k, m).

    Notes
    -----
    Words travel in the low half of 64 bits: then a vector unit multiplies them without moving them first.
    """
    a, b, c, d, k, m = a & _LOW, b & _LOW, c & _LOW, d & _LOW, k & _LOW, m & _LOW
    for _ in range(10):
        p, q = _MULTIPLIER_0 * a, _MULTIPLIER_1 * c
        a, b, c, d = (q >> _HALF) ^ b ^ k, q & _LOW, (p >> _HALF) ^ d ^ m, p & _LOW
        k, m = (k + _WEYL_0) & _LOW, (m + _WEYL_1) & _LOW
    return a, b, c, d


@compiled()
def group_words(group: int, place: Place, key: Key, lanes: WordArray) -> None:
    """Fill `lanes`, an array of length GROUP, with the words of one group of a row."""
    first, second = lanes[:LANES], lanes[LANES : 2 * LANES]
    third, fourth = lanes[2 * LANES : 3 * LANES], lanes[3 * LANES :]
    block = np.uint64(group) * np.uint64(LANES)
    for i in range(LANES):
        a, b, c, d = philox(block + np.uint64(i), place[0], place[1], place[2], key[0], key[1])
        first[i], second[i] = np.uint32(a), np.uint32(b)
        third[i], fourth[i] = np.uint32(c), np.uint32(d)


def as_key(seed: int) -> Key:
    """Return the key of a seed, 0 <= seed < 2**64."""
    if not 0 <= seed < 2**64:
        raise must("seed", "lie in 0 <= seed < 2**64", seed, "derive it by stream_seed")
    return np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32)
