"""From forecasts to the report card: a planted fault is named, a true forecast is not."""

from datetime import UTC, datetime

import numpy as np
import pytest

from engine.core.projection.report_card import CardFold
from engine.domain.events import Event, EventType
from engine.domain.forecast import HORIZONS, ForecastsSettled, LevelCard
from engine.forecasts.book import ForecastBook
from engine.forecasts.levels import Ask, Levels
from engine.forecasts.past import Past
from engine.forecasts.records import issued_of
from engine.forecasts.size import Size
from engine.kernels.paths import stream_seed
from tests.forecasts.pasts import L1, past_of

WINDOW, N = 120, 170


def card_of(sigmas: np.ndarray, seed: int) -> LevelCard:
    """Walk level 1 over GBM with these deviations, settle, fold; return its card one bar ahead."""
    whole = past_of(sigmas * np.random.default_rng(seed).standard_normal(sigmas.size), window=WINDOW)  # fmt: skip
    levels, fold = Levels(), CardFold()
    book = ForecastBook(levels.crew)
    for n in range(WINDOW + 1, whole.closes.size + 1):
        past = whole.until(n)
        told = ForecastsSettled(symbol="AAA", rows=book.settle(past))
        fold.routes()[EventType.FORECASTS_SETTLED](Event(EventType.FORECASTS_SETTLED, told.to_data()))  # fmt: skip
        book.issue(past, moment(past), issued_of(levels.draw(L1, asked(past, n))))
    section = fold.value("card:AAA")
    return next(card for card in section.cards if card.horizon == 1)


def moment(past: Past) -> datetime:
    return datetime.fromtimestamp(float(past.closes_at[-1]), UTC)


def asked(past: Past, n: int) -> Ask:
    seed = stream_seed(1, "AAA", L1, n)
    return Ask(past=past, size=Size(n_paths=600, n_steps=max(HORIZONS), seed=seed))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_planted_doubling_of_sigma_is_flagged(seed: int):
    sigmas = np.full(WINDOW + N, 0.01)
    sigmas[WINDOW + 40 :] *= 2.0
    card = card_of(sigmas, seed)
    assert card.fault == "too narrow"
    assert card.inside[2] < 0.88 * card.n


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_true_gbm_is_not_flagged(seed: int):
    card = card_of(np.full(WINDOW + N, 0.01), seed)
    assert card.fault == ""
    assert card.n == N
    assert 0.8 * card.n < card.inside[2] < 0.97 * card.n
