"""The generator against the published vectors, and what a counter promises: any part, any time, the same."""

import numpy as np
import pytest
from scipy import stats

from engine.domain.errors import InvalidValueError
from engine.kernels.philox import GROUP, LANES, as_key, group_words, philox

ONES = "ffffffff"
VECTORS = [  # Random123, kat_vectors: philox4x32 10 rounds; counter, key, words
    ("00000000 " * 4, "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    (f"{ONES} " * 4, f"{ONES} {ONES}", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def random_words(seed, stream, shape):
    """Words of a row after the other, shape (n_rows, n)."""
    rows = np.empty((shape[0], -(-shape[1] // GROUP), GROUP), np.uint32)
    for r, groups in enumerate(rows):
        for g, lanes in enumerate(groups):
            group_words(g, (np.uint64(r), np.uint64(stream), np.uint64(0)), as_key(seed), lanes)
    return rows.reshape(shape[0], -1)[:, : shape[1]]


def words_of(text):
    return [np.uint64(int(word, 16)) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
def test_the_published_vectors_are_met(counter, key, expected):
    assert [int(w) for w in philox(*words_of(counter), *words_of(key))] == words_of(expected)


@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
def test_the_vector_lanes_meet_them_too(counter, key, expected):
    first, *place = words_of(counter)
    lanes = np.zeros(GROUP, np.uint32)
    # the counter's first word is a block: the lane of that block in its group
    group_words(int(first) // LANES, tuple(place), tuple(words_of(key)), lanes)
    assert lanes[int(first) % LANES :: LANES].tolist() == words_of(expected)


def test_a_generator_in_plain_integers_gives_the_same_words():
    # numpy's Philox is the 64-bit variant; the 32-bit one is written out here
    def plain(counter, key):
        for _ in range(10):
            p, q = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
            counter = (
                q >> 32 ^ counter[1] ^ key[0], q & 0xFFFFFFFF,
                p >> 32 ^ counter[3] ^ key[1], p & 0xFFFFFFFF,
            )  # fmt: skip
            key = (key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF
        return counter

    seed, stream = 0x123456789ABCDEF, 7
    rows = random_words(seed, stream, (3, 600))
    for row, place in [(0, 0), (1, 63), (2, 64), (2, 300), (1, 599)]:
        group, within = divmod(place, GROUP)
        word, lane = divmod(within, LANES)
        block = plain((group * LANES + lane, row, stream, 0), (seed & 0xFFFFFFFF, seed >> 32))
        assert rows[row, place] == block[word]


def test_seeds_streams_and_rows_share_no_words():
    shape = (2, 5_000)
    draws = [random_words(s, t, shape) for s, t in [(1, 0), (2, 0), (1, 1), (1 << 32, 0)]]
    rows = np.concatenate(draws)
    shared = [np.mean(a == b) for i, a in enumerate(rows) for b in rows[:i]]
    assert max(shared) < 0.001


def test_every_bit_is_set_half_of_the_time():
    words = random_words(9, 3, (10, 10_000)).ravel()
    counts = [int(((words >> bit) & 1).sum()) for bit in range(32)]
    z = (np.array(counts) - words.size / 2) / np.sqrt(words.size / 4)
    assert np.abs(z).max() < 4.5
    assert stats.chisquare(np.bincount(words >> 24, minlength=256)).pvalue > 1e-4


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_of_another_size_is_refused(seed):
    with pytest.raises(InvalidValueError, match=r"^seed must lie in 0 <= seed < 2"):
        as_key(seed)
