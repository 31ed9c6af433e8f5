"""The five levels: exact starts, own streams, common falls, dated matches, and words where history is short."""

import re
from dataclasses import replace

import numpy as np
import pytest

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.domain.forecast import SimulationLevel
from engine.forecasts import levels as module
from engine.forecasts.fits import Fits
from engine.forecasts.levels import EVENTS_UNHEARD, STRESS_WEIGHT, Ask, Levels, picks_of
from engine.forecasts.past import Past
from engine.forecasts.size import Drawn, Outlook
from engine.kernels.adaptive import SettledForecast
from engine.kernels.scoring import LEVELS
from tests.forecasts.pasts import L1, L2, L3, L4, L5, past_of, restless, size, turns

ALL = list(SimulationLevel)


def market(n: int = 420, seed: int = 4) -> dict[str, Past]:
    """Two symbols with a correlation of 0.8, and a stranger."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((3, n))
    z[1] = 0.8 * z[0] + 0.6 * z[1]
    return {s: past_of(0.01 * row, s) for s, row in zip(("AAA", "BBB", "CCC"), z, strict=True)}


PASTS = market()


@pytest.fixture(scope="module")
def levels() -> Levels:
    return Levels()


def ask(symbol: str = "AAA", **more) -> Ask:
    return Ask(**({"past": PASTS[symbol], "size": size(), "others": PASTS.values} | more))


@pytest.mark.parametrize("level", ALL)
def test_paths_start_at_spot_are_finite_and_follow_their_seed(levels: Levels, level):
    drawn, again = levels.draw(level, ask()), levels.draw(level, ask())
    other = levels.draw(level, ask(size=size(seed=2)))
    assert drawn.level is level
    assert drawn.logs.shape == (6, 300)
    assert (drawn.logs[0] == 0.0).all()
    assert np.isfinite(drawn.logs).all()
    np.testing.assert_array_equal(drawn.logs, again.logs)
    assert np.unique(np.r_[drawn.logs[5], other.logs[5]]).size > 300
    assert 0.005 < drawn.logs[1].std() < 0.02
    assert drawn.n_observations == 420


def test_another_program_with_the_same_bars_draws_the_same(levels: Levels):
    fresh = Levels()
    for level in ALL:
        np.testing.assert_array_equal(fresh.draw(level, ask()).logs, levels.draw(level, ask()).logs)


def test_an_outlook_works_on_every_level(levels: Levels):
    for level in ALL:
        usual = levels.draw(level, ask()).logs
        moved = levels.draw(level, ask(outlook=Outlook(shock=-0.1))).logs
        np.testing.assert_allclose(moved[1:], usual[1:] - 0.1, atol=1e-12)


def ends(levels: Levels, seed: int = 1) -> dict[str, np.ndarray]:
    asked = size(n_paths=2_000, seed=seed)
    return {s: levels.draw(L4, ask(s, size=asked)).logs[5] for s in PASTS}


def test_symbols_of_one_seed_fall_together_at_level_4(levels: Levels):
    joint, other = ends(levels), ends(levels, seed=2)
    assert np.corrcoef(joint["AAA"], joint["BBB"])[0, 1] == pytest.approx(0.8, abs=0.08)
    assert abs(np.corrcoef(joint["AAA"], joint["CCC"])[0, 1]) < 0.25
    assert abs(np.corrcoef(joint["AAA"], other["BBB"])[0, 1]) < 0.08


def test_what_was_drawn_for_the_symbol_before_changes_no_number(levels: Levels):
    """Picks are kept for the next symbol of the same market; another size, seed or market draws its own."""
    for asked in (size(n_paths=300), size(n_paths=300, seed=8), size(n_paths=200, seed=8)):
        for symbol in PASTS:
            fresh = Levels(fits=levels.fits).draw(L4, ask(symbol, size=asked)).logs
            np.testing.assert_array_equal(levels.draw(L4, ask(symbol, size=asked)).logs, fresh)


def test_a_market_in_stress_is_called_so_and_expects_more_of_it():
    calm, wild = past_of(turns(300, 60)[::-1]), past_of(turns(300, 60))
    fits = Fits()
    found = {}
    for name, past in (("calm", calm), ("stress", wild)):
        levels = Levels(fits=Fits())
        drawn = levels.draw(L4, Ask(past=past, size=size(), others=lambda p=past: (p,)))
        assert drawn.level is L4
        found[name] = drawn.stressed
    assert found["calm"] < 0.1
    assert found["stress"] > 0.8
    known = fits.of_market(wild, lambda: (wild,))
    assert known is not None
    assert 20 < known.stressed.sum() < 60
    first = {p: known.stressed[picks_of(known, p, size(2_000))[0]].mean() for p in (0.05, 0.95)}
    assert first[0.05] == pytest.approx(0.05, abs=0.03)
    assert first[0.95] == pytest.approx(0.95, abs=0.03)
    stays = known.stressed[picks_of(known, 1.0, size(2_000))].mean(axis=1)
    assert stays[0] == 1.0
    assert (np.diff(stays) < 0.0).all(), "stress ends after a while"


def test_every_bar_of_a_regime_is_as_likely(levels: Levels):
    known = levels.fits.of_market(PASTS["AAA"], PASTS.values)
    assert known is not None
    n = known.stressed.size
    few = replace(known, stressed=np.arange(n) < n // 3)  # n is no multiple of either
    picks = picks_of(few, 0.5, size(20_000, 5))
    counts = np.bincount(picks.ravel(), minlength=n)
    for rows in (counts[: n // 3], counts[n // 3 :]):
        spread = (rows - rows.mean()) / np.sqrt(rows.mean())
        assert rows.min() > 0
        assert float((spread**2).mean()) == pytest.approx(1.0, abs=0.35)


def test_a_market_with_one_regime_is_drawn_from_all_rows(levels: Levels):
    known = levels.fits.of_market(PASTS["AAA"], PASTS.values)
    assert known is not None
    calm = replace(known, stressed=np.zeros_like(known.stressed))
    assert np.unique(picks_of(calm, 0.9, size(5_000, 1))).size > 0.9 * known.stressed.size


def test_every_match_is_older_than_the_horizon_and_what_came_next_is_its_outcome(levels: Levels):
    for n_steps in (5, 20):
        drawn = levels.draw(L5, ask(size=size(n_steps=n_steps)))
        matches, n = drawn.matches, PASTS["AAA"].closes.size
        assert matches is not None
        assert matches.ends.max() <= n - 1 - n_steps
        assert matches.ends.min() >= 250
        assert (np.diff(matches.distances) >= 0.0).all()
        logs, end = np.log(PASTS["AAA"].closes), int(matches.ends[0])
        came = logs[end : end + n_steps + 1] - logs[end]
        ratio = matches.outcomes[1:, 0] / came[1:]
        np.testing.assert_allclose(ratio, ratio[0])


def test_the_stress_is_the_last_paths_and_nothing_else(levels: Levels, monkeypatch):
    asked = ask(size=size(n_paths=400))
    with_stress = levels.draw(L5, asked)
    monkeypatch.setattr(module, "STRESS_WEIGHT", 0.0)
    without = levels.draw(L5, asked)
    assert (with_stress.n_stressed, without.n_stressed) == (round(STRESS_WEIGHT * 400), 0) == (4, 0)
    np.testing.assert_array_equal(with_stress.logs[:, :-4], without.logs[:, :-4])
    fell = with_stress.logs[5, -4:] - without.logs[5, -4:]
    assert (fell < 0.0).all()
    assert fell.mean() == pytest.approx(-6.0 * 0.01, rel=0.5)


def test_level_3_moves_its_quantiles_only_when_a_forecast_is_settled():
    levels = Levels()
    first, again = (levels.draw(L3, ask(origin=1)) for _ in range(2))
    for one, other in zip(first.issued, again.issued, strict=True):
        np.testing.assert_array_equal(one.quantiles, other.quantiles)
        np.testing.assert_allclose(one.quantiles, one.experts.mean(axis=0))
    assert [each.horizon for each in first.issued] == [1, 5]
    levels.crew.learn(SettledForecast(issued=first.issued[0], outcome=0.05))
    later = levels.draw(L3, ask(origin=2))
    assert not np.array_equal(later.issued[0].quantiles, first.issued[0].quantiles)
    np.testing.assert_array_equal(later.issued[1].quantiles, first.issued[1].quantiles)
    stranger = levels.draw(L3, ask("BBB", origin=2)).issued[0]
    np.testing.assert_allclose(stranger.quantiles, stranger.experts.mean(axis=0))


def test_level_3s_paths_have_its_quantiles(levels: Levels):
    drawn = levels.draw(L3, ask(size=size(n_paths=2_000)))
    for issued in drawn.issued:
        found = np.quantile(drawn.logs[issued.horizon], LEVELS)
        np.testing.assert_allclose(found[2:-2], issued.quantiles[2:-2], atol=5e-4)


GIVES_WAY = {
    20: {2: 1, 3: 1, 4: 1, 5: 1},
    60: {2: 2, 3: 3, 4: 3, 5: 3},
    200: {2: 2, 3: 3, 4: 4, 5: 4},
    300: {2: 2, 3: 3, 4: 4, 5: 5},
}


@pytest.mark.parametrize("n_bars", sorted(GIVES_WAY))
def test_a_short_history_gives_way_to_the_highest_level_it_carries_and_says_so(n_bars: int):
    past = past_of(restless(n_bars - 1))
    levels = Levels()
    asked = Ask(past=past, size=size(n_paths=60), others=lambda: (past,))
    for wanted, given in ({1: 1} | GIVES_WAY[n_bars]).items():
        drawn = levels.draw(SimulationLevel(wanted), asked)
        assert drawn.level.value == given
        said = re.match(r"level (\d) stands in for level (\d): .+ must have .+; ", drawn.note)
        assert (said is not None) == (wanted != given)
        if said:
            assert said.groups() == (str(given), str(wanted))


def test_a_horizon_too_far_for_the_analogues_gives_way(levels: Levels):
    past = past_of(restless(299))
    drawn = Levels().draw(L5, Ask(past=past, size=size(n_paths=60, n_steps=60), others=lambda: (past,)))  # fmt: skip
    assert drawn.level is L4
    assert "closes must have at least 330" in drawn.note


def test_two_closes_carry_nothing():
    with pytest.raises(NotEnoughDataError):
        Levels().draw(L5, Ask(past=past_of(restless(1)), size=size()))


@pytest.mark.parametrize("level", list(SimulationLevel))
def test_an_event_counts_at_level_2_and_the_others_say_that_it_does_not(
    levels: Levels, level: SimulationLevel
):
    events = [{"type": "earnings", "sentiment": -1.0}]
    plain, with_it = levels.draw(level, ask()), levels.draw(level, ask(events=events))
    is_heard = level is L2
    assert np.array_equal(plain.logs, with_it.logs) is not is_heard
    assert (EVENTS_UNHEARD in with_it.note) is not is_heard
    assert EVENTS_UNHEARD not in plain.note
    with pytest.raises(InvalidValueError, match="sentiment"):
        levels.draw(level, ask(events=[{"sentiment": 9.0}]))


def test_other_closes_at_the_same_times_have_other_matches(levels: Levels):
    one, other = (past_of(restless(600, seed), "ZZZ") for seed in (31, 32))
    asked = [levels.draw(L5, Ask(past=past, size=size())).matches.ends for past in (one, other)]
    assert not np.array_equal(*asked)


def test_level_2_says_how_its_fit_and_its_events_stand(levels: Levels):
    usual = levels.draw(L2, ask())
    news = levels.draw(L2, ask(events=[{"type": "earnings", "sentiment": -1.0}]))
    assert "earnings: variance × 1.50 (prior)" in news.note
    assert news.logs[1].mean() < usual.logs[1].mean() - 0.1 * usual.sigma_per_step
    short = Levels().draw(L2, ask(past=PASTS["AAA"].until(60)))
    assert short.note.startswith("EWMA 0.94: n = 59 returns")


def test_levels_never_see_what_comes_after():
    n = 320
    rng = np.random.default_rng(1)
    drawn: dict[SimulationLevel, list[Drawn]] = {level: [] for level in (L1, L2, L3, L4, L5)}
    returns = restless(400)
    for factor in (1.0, 10.0):
        future = factor * rng.permutation(returns[n - 1 :])
        whole = past_of(np.r_[returns[: n - 1], future])
        levels = Levels()
        for level in drawn:
            asked = Ask(past=whole.until(n), size=size(n_paths=50), others=lambda w=whole: (w,))
            drawn[level].append(levels.draw(level, asked))
    for one, other in drawn.values():
        np.testing.assert_array_equal(one.logs, other.logs)
