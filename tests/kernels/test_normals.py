"""Laws against scipy, and every number against the same words in double precision."""

import hashlib
import math

import numpy as np
import pytest
from scipy import stats

from engine.kernels.compiled import compiled
from engine.kernels.normals import USE_NORMALS, group_normals, minus_log_uniform, turn
from engine.kernels.philox import GROUP, as_key

EDGES = np.concatenate(
    [
        np.arange(0, 4_000),
        np.arange(2**32 - 40_000, 2**32),
        np.random.default_rng(0).integers(0, 2**32, 60_000),
        *[np.arange(2**k - 300, 2**k + 300) for k in range(10, 32)],
    ]
).astype(np.uint32)


@compiled("void(uint32[::1], float32[:,::1])")
def _transform(words: np.ndarray, out: np.ndarray) -> None:
    for i in range(words.size):
        out[0, i] = minus_log_uniform(words[i])
        out[1, i], out[2, i] = turn(words[i])


def standard_normals(seed, stream, shape):
    """Normals of a row after the other, float32 of shape (n_rows, n)."""
    rows = np.empty((shape[0], -(-shape[1] // GROUP), GROUP), np.float32)
    lanes = np.empty(GROUP, np.uint32)
    for r, groups in enumerate(rows):
        place = (np.uint64(r), np.uint64(stream), USE_NORMALS)
        for g, made in enumerate(groups):
            group_normals(g, place, as_key(seed), lanes, made)
    return rows.reshape(shape[0], -1)[:, : shape[1]]


def transformed(words):
    out = np.empty((3, words.size), np.float32)
    _transform(words, out)
    return out


def test_the_logarithm_is_exact_to_float32():
    u = (EDGES.astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-32)
    exact, found = -np.log(u.astype(np.float64)), transformed(EDGES)[0]
    assert (found >= 0.0).all()
    assert np.abs(found - exact).max() < 2e-6
    assert (np.abs(found - exact) / np.maximum(exact, 1e-300))[exact > 0.0].max() < 2e-7


def test_cosine_and_sine_are_exact_to_float32_and_lie_on_the_circle():
    top, rest = EDGES >> np.uint32(30), (EDGES << np.uint32(2)).astype(np.int32)
    angle = (top + rest.astype(np.float64) * 2.0**-32) * (math.pi / 2)
    _, cosine, sine = transformed(EDGES)
    assert np.abs(cosine - np.cos(angle)).max() < 1e-7
    assert np.abs(sine - np.sin(angle)).max() < 1e-7


def test_radius_and_turn_are_those_of_double_precision():
    _, cosine, _ = transformed(EDGES)
    u = (EDGES.astype(np.float64) + 0.5) * 2.0**-32
    radius = np.sqrt(np.float32(2.0) * transformed(EDGES)[0])
    error, exact = np.abs(radius - np.sqrt(-2.0 * np.log(u))), np.sqrt(-2.0 * np.log(u))
    assert error[exact > 0.01].max() < 3.1e-6
    assert error.max() < 3e-4
    assert error[exact > 0.1].max() < 1.5e-6
    assert np.abs(cosine).max() <= 1.0


def test_the_tail_reaches_beyond_six_deviations():
    radius = np.sqrt(2.0 * transformed(np.array([0], np.uint32))[0])
    assert radius == pytest.approx(math.sqrt(66 * math.log(2)), rel=1e-6)
    assert radius > 6.7


def test_normals_pass_kolmogorov_and_smirnov_and_have_the_right_moments():
    z = standard_normals(20, 0, (50, 20_000)).astype(np.float64).ravel()
    n = z.size
    assert stats.kstest(z, stats.norm.cdf).pvalue > 0.001
    moments = np.array([z.mean(), (z**2).mean() - 1, (z**3).mean(), (z**4).mean() - 3])
    assert (np.abs(moments) < 4.5 * np.sqrt(np.array([1, 2, 15, 96]) / n)).all()
    for far in (3.0, 4.0):
        expected = 2 * n * stats.norm.sf(far)
        assert abs((np.abs(z) > far).sum() - expected) < 4.5 * math.sqrt(expected)
    # control: the test sees a deviation that is off by two per cent
    assert stats.kstest(z * 1.02, stats.norm.cdf).pvalue < 0.001


def test_the_two_numbers_of_a_pair_and_neighbouring_rows_are_independent():
    z = standard_normals(3, 0, (2, 256 * 400)).astype(np.float64)
    groups = z[0].reshape(400, 2, 128)
    pairs = groups[:, 0].ravel(), groups[:, 1].ravel()
    limit = 4.5 / math.sqrt(pairs[0].size)
    for transform in (lambda x: x, np.square, np.abs):
        assert abs(np.corrcoef(*map(transform, pairs))[0, 1]) < limit
        assert abs(np.corrcoef(*map(transform, z))[0, 1]) < limit
        assert abs(np.corrcoef(transform(z[0][:-1]), transform(z[0][1:]))[0, 1]) < limit


def test_neighbouring_seeds_and_streams_are_uncorrelated():
    draws = [
        standard_normals(seed, stream, (1, 50_000))[0]
        for seed, stream in [(7, 0), (8, 0), (7, 1), (7 + 2**32, 0)]
    ]
    correlations = np.corrcoef(draws)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 4.5 / math.sqrt(50_000)


def test_the_same_seed_gives_the_same_bits_on_every_processor():
    z = standard_normals(2024, 5, (3, 777))
    assert hashlib.sha256(z.astype("<f4").tobytes()).hexdigest()[:16] == "1026665d7ebe6948"
