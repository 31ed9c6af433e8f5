"""A what-if: what it asks of the engine, where its controls stand, what is said of its answer."""

from dataclasses import replace

import pytest

from dashboard.views.what_if import label_words, since_words, stored_values, what_if_of
from tests.dashboard import forecasts as f
from tests.dashboard.samples import columns

AAPL = columns("AAPL")


def test_a_what_if_asks_with_the_seed_of_what_is_stored_until_it_is_run_again() -> None:
    stored = f.made(AAPL, 3)
    first = what_if_of("AAPL", {"level": 3, "paths": 2000, "steps": 20, "shock": -10})
    again = what_if_of("AAPL", {"level": 3, "paths": 2000, "steps": 20, "shock": -10, "run": 2})
    assert first.asked(3, stored)["seed"] == stored.seed
    assert again.asked(3, stored)["seed"] not in {None, stored.seed}
    assert first.asked(3, stored)["shock"] == pytest.approx(-0.1053605)
    assert first.asked(3, None)["seed"] is None


def test_the_words_of_a_what_if_name_only_what_was_changed() -> None:
    answer = f.made(AAPL, 3, n_steps=20)
    plain = label_words(what_if_of("AAPL", {"paths": 1000, "steps": 20}), answer, 0.004)
    assert plain == "1,000 × 20 · from the close of 26 Sep · 4.0 ms"
    timed = label_words(what_if_of("AAPL", {}), answer, 0.004, has_time=True)
    assert f"from the close of 26 Sep {answer.origin:%H:%M}" in timed
    changed = what_if_of("AAPL", {"shock": 5, "volatility": 1.5})
    assert "shock +5% · volatility ×1.50" in label_words(changed, answer, 0.004)


@pytest.mark.parametrize(("n_paths", "shown"), [(1_500, 1_500), (100, 500), (50_000, 20_000)])
def test_the_controls_stand_at_what_is_stored_within_their_bounds(n_paths, shown) -> None:
    stored = replace(f.made(AAPL, 3), n_paths=n_paths)
    assert stored_values(stored, 5) == {"paths": shown, "steps": 5, "shock": 0, "volatility": 1}
    assert stored_values(None, 20)["paths"] == 1_000, "what MC_PATHS is without being set"


def test_bars_that_closed_under_a_what_if_are_counted() -> None:
    at = AAPL.closes_at
    assert since_words(AAPL, at[-1]) == ""
    assert since_words(AAPL, at[-2]).startswith("a bar has closed")
    assert since_words(AAPL, at[-4]).startswith("3 bars have closed")
