"""Fits: blind for what comes after, kept for a block, and honest where there is little to fit."""

import math
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import NotEnoughDataError
from engine.forecasts.fits import KEPT, Fits
from engine.forecasts.fitting import MarketFit, SymbolFit, _last_common, regimes_of
from engine.forecasts.past import Past, renewed_at
from engine.kernels.garch import fit_garch
from engine.kernels.markov_regime import MarkovFit, regime_probabilities
from tests.forecasts.pasts import past_of, restless, turns

RETURNS = restless(420)
PAST = past_of(RETURNS)


def same(one: SymbolFit, other: SymbolFit, tolerance: float = 0.0) -> bool:
    return one.made_of == other.made_of and np.allclose(one.pool, other.pool, 0.0, tolerance)


def with_other_future(n: int) -> Past:
    """The same first `n` closes, and then the returns in another order and ten times as wild."""
    rest = 10.0 * np.random.default_rng(9).permutation(RETURNS[n - 1 :])
    return past_of(np.concatenate([RETURNS[: n - 1], rest]))


@pytest.mark.parametrize("n", [150, 270, 350])
def test_a_fit_is_the_same_whatever_came_after_and_whatever_was_asked_before(n: int):
    alone = Fits().of_symbol(PAST.until(n))
    other = Fits()
    other.of_symbol(with_other_future(n))
    assert same(other.of_symbol(with_other_future(n).until(n)), alone)
    later = Fits()
    later.of_symbol(PAST.until(n + 5))  # as the last bar is drawn before history is rehearsed
    later.of_symbol(PAST)
    # an earlier fit to begin at moves the last digits that the optimiser cares for
    assert same(later.of_symbol(PAST.until(n)), alone, tolerance=1e-3)


def test_other_closes_at_the_same_places_are_another_fit():
    fits = Fits()
    one, other = (past_of(restless(120, seed), dated=False) for seed in (1, 2))
    assert not np.array_equal(fits.of_symbol(one).pool, fits.of_symbol(other).pool)


@pytest.mark.parametrize("n_kept", [1, 2])
def test_no_more_fits_are_kept_than_were_asked_for(n_kept: int):
    fits = Fits(n_kept=n_kept)
    made = [fits.of_symbol(PAST.until(n)) for n in (340, 370, 399)]
    again = [fits.of_symbol(PAST.until(n)) for n in (399, 370)]
    assert again[0] is made[2]
    assert (again[1] is made[1]) is (n_kept == 2)


def test_a_fit_is_kept_for_a_block_and_then_renewed():
    fits = Fits()
    made = [fits.of_symbol(PAST.until(n)) for n in range(340, 400)]
    different = {id(each): each for each in made}
    assert 3 <= len(different) <= KEPT + 1
    assert made[-1] is fits.of_symbol(PAST.until(399))
    assert made[0].made_of.startswith("GARCH to ")
    assert len({each.made_of for each in different.values()}) == len(different)


def test_a_short_history_gets_riskmetrics_and_the_reason():
    fit = Fits().of_symbol(PAST.until(60))
    assert not fit.garch.converged
    assert fit.garch.note == "EWMA 0.94: n = 59 returns, a fit needs 250"
    assert fit.made_of.startswith("EWMA to ")
    assert Fits().of_symbol(replace(PAST.until(60), closes_at=np.empty(0))).made_of == (
        "EWMA of 59 returns"
    )


@pytest.mark.parametrize("n", [1, 2, 20])
def test_too_short_a_history_has_no_fit(n: int):
    with pytest.raises(NotEnoughDataError):
        Fits().of_symbol(PAST.until(n))


def test_a_price_that_stands_still_has_no_fit():
    with pytest.raises(NotEnoughDataError, match="two values that differ"):
        Fits().of_symbol(past_of(np.zeros(300)))


def odd(kind: str) -> np.ndarray:
    returns = RETURNS[:300].copy()
    match kind:
        case "a crash":
            returns[150] = -3.0
        case "two prices":
            returns = 0.01 * (-1.0) ** np.arange(300)
        case "mostly still":
            returns[np.arange(300) % 10 != 0] = 0.0
        case "still, then moving":
            returns[:200] = 0.0
        case "tiny":
            returns *= 1e-9
    return returns


@pytest.mark.parametrize(
    "kind", ["a crash", "two prices", "mostly still", "still, then moving", "tiny"]
)
def test_odd_histories_give_a_usable_fit(kind: str):
    fit = Fits().of_symbol(past_of(odd(kind)))
    for pool in (fit.pool, fit.wide_pool):
        assert np.isfinite(pool).all()
        assert (pool.mean(), pool.std()) == pytest.approx((0.0, 1.0), abs=1e-6)
    assert fit.garch.converged or fit.garch.note


def pair(n: int, seed: int = 3) -> dict[str, Past]:
    """Two symbols that were strangers, and move as one over the last sixty bars."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((2, n))
    z[1, -60:] = z[0, -60:] + 0.1 * z[1, -60:]
    return {name: past_of(0.01 * row, name) for name, row in zip(("AAA", "BBB"), z, strict=True)}


@pytest.fixture(scope="module")
def strangers() -> MarketFit:
    pasts = pair(400)
    market = Fits().of_market(pasts["AAA"], pasts.values)
    assert market is not None
    return market


def test_the_rows_of_the_market_are_correlated_as_of_late(strangers: MarketFit):
    assert strangers.symbols == ("AAA", "BBB")
    assert np.corrcoef(strangers.rows.T)[0, 1] > 0.7
    np.testing.assert_allclose(strangers.rows.mean(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(strangers.rows.std(axis=0), 1.0)
    assert strangers.stressed.shape == (strangers.rows.shape[0],)
    assert strangers.column("CCC") is None
    np.testing.assert_array_equal(strangers.column("BBB"), strangers.rows[:, 1])


def test_the_market_is_blind_for_what_comes_after():
    pasts = pair(260)
    n = 255
    cut = {name: past.until(n) for name, past in pasts.items()}
    alone = Fits().of_market(cut["AAA"], cut.values)
    asked = Fits()
    asked.of_market(pasts["AAA"], pasts.values)
    # the others may know more already: their bars come in one by one
    again = asked.of_market(cut["AAA"], pasts.values)
    assert alone is not None
    assert again is not None
    assert again.regimes == alone.regimes
    np.testing.assert_array_equal(again.rows, alone.rows)


def test_the_regimes_hold_longer_than_the_rows():
    returns = restless(230)
    fits, made = Fits(), []
    for n in range(190, 231):
        past = past_of(returns[:n])
        made.append(fits.of_market(past, lambda p=past: [p]))
    assert len({id(each) for each in made}) >= 8
    assert len({each.regimes for each in made if each is not None}) <= 4


def test_the_market_is_asked_for_once_and_again_when_a_symbol_comes_aboard():
    pasts, asked = pair(150), []
    known = [pasts["AAA"]]

    def others() -> list[Past]:
        asked.append(len(known))
        return known

    fits = Fits()
    first = fits.of_market(pasts["AAA"], others)
    assert fits.of_market(pasts["AAA"], others) is first
    assert asked == [1]
    known.append(pasts["BBB"])
    second = fits.of_market(pasts["BBB"], others)
    assert second is not None
    assert second.symbols == ("AAA", "BBB")
    assert fits.of_market(pasts["AAA"], others) is second
    assert asked == [1, 2]
    stranger = past_of(restless(90), "CCC")
    assert fits.of_market(stranger, others) is None


def test_symbols_without_times_are_laid_over_each_other_from_their_ends():
    returns = {"AAA": restless(130), "BBB": restless(150, 2)}
    pasts = [past_of(r, name, dated=False) for name, r in returns.items()]
    market = Fits().of_market(pasts[1], lambda: pasts)
    assert market is not None
    assert market.symbols == ("AAA", "BBB")


def test_too_few_common_bars_are_no_market():
    short = past_of(restless(90))
    assert Fits().of_market(short, lambda: [short]) is None
    still = past_of(np.zeros(200))
    assert Fits().of_market(still, lambda: [still]) is None


def test_the_markets_regimes_take_the_size_of_one_symbol():
    returns = turns(300, 60)
    market = MarkovFit(
        calm_mean=0.0, calm_sigma=0.5, stressed_mean=0.0, stressed_sigma=2.5, calm_stay=0.99,
        stressed_stay=0.95, loglik=0.0, n=360,
    )  # fmt: skip
    own = regimes_of(returns, market, 1.0)
    assert own.calm_sigma == pytest.approx(0.005, rel=0.15)
    assert own.stressed_sigma == pytest.approx(0.025, rel=0.25)
    assert regime_probabilities(returns, own).label == "stressed"
    never = regimes_of(returns[:300], replace(market, calm_sigma=1.0, stressed_sigma=50.0), 1.0)
    assert never.calm_sigma == never.stressed_sigma == pytest.approx(returns[:300].std())


def of_one_market(n_symbols: int = 8) -> tuple[dict[str, Past], np.ndarray]:
    """Return symbols that share a third of their moves, and which bars were stressed: three in ten, in spells."""
    rng = np.random.default_rng(11)
    stressed = np.repeat([0, 1, 0, 1, 0, 1, 0], [150, 60, 120, 80, 130, 70, 90]).astype(bool)
    shared, own = rng.standard_normal(700), rng.standard_normal((n_symbols, 700))
    z = math.sqrt(1 / 3) * shared + math.sqrt(2 / 3) * own
    returns = np.where(stressed, 0.025, 0.010) * z
    return {f"S{k}": past_of(row, f"S{k}") for k, row in enumerate(returns)}, stressed


def test_a_symbol_is_as_often_stressed_as_its_market():
    pasts, stressed = of_one_market()
    market = Fits().of_market(pasts["S0"], pasts.values)
    assert market is not None
    assert 0.4 < market.unit < 0.8, "the mean of symbols that move apart is smaller than each"
    assert market.stressed.mean() == pytest.approx(stressed.mean(), abs=0.12)
    for past in pasts.values():
        own = regimes_of(past.returns(), market.regimes, market.unit)
        assert own.calm_sigma == pytest.approx(0.010, rel=0.2)
        assert own.stressed_sigma == pytest.approx(0.025, rel=0.2)


def test_the_chance_of_stress_is_one_for_all_symbols_of_a_bar():
    pasts, _ = of_one_market()
    n = 390  # the last bars of a stressed spell
    cut = {name: past.until(n) for name, past in pasts.items()}
    fits = Fits()
    market = fits.of_market(cut["S0"], cut.values)
    assert market is not None
    chances = {fits.chance_of_stress(past, cut.values, market) for past in cut.values()}
    assert len(chances) == 1
    assert chances.pop() > 0.7
    calm = {name: past.until(320) for name, past in pasts.items()}
    assert fits.chance_of_stress(calm["S3"], calm.values, market) < 0.4  # control


def test_the_chance_is_the_same_whether_the_others_have_the_newest_bar_or_not():
    pasts, _ = of_one_market()
    early = {name: past.until(390 if name == "S0" else 389) for name, past in pasts.items()}
    late = {name: past.until(390) for name, past in pasts.items()}
    market = Fits().of_market(late["S0"], late.values)
    assert market is not None
    first, then = Fits(), Fits()
    chance = first.chance_of_stress(early["S0"], early.values, market)
    assert chance == first.chance_of_stress(late["S1"], late.values, market)
    assert chance == then.chance_of_stress(late["S1"], late.values, market)


def test_a_fit_made_ahead_holds_up_nobody_and_is_made_once():
    """While the next block's fit is at work, the present one answers; whoever needs the next one waits for that one."""
    called, begun, may_end = [], threading.Event(), threading.Event()

    def call(function, *args, **kwargs):
        if function is fit_garch:
            called.append(args[0].size)
            if threading.current_thread() is not here:
                begun.set()
                assert may_end.wait(20.0)
        return function(*args, **kwargs)

    here, threads = threading.current_thread(), []

    def aside(work):
        threads.append(threading.Thread(target=work, args=(call,)))
        threads[-1].start()

    fits = Fits(call, aside)
    present = fits.of_symbol(PAST)
    fits.prepare(PAST, lambda: (PAST,))
    assert begun.wait(20.0)
    assert fits.of_symbol(PAST) is present
    threading.Timer(0.2, may_end.set).start()
    ahead = renewed_at(PAST, is_next=True)
    made = fits._made(ahead, call)
    for thread in threads:
        thread.join(20.0)
    assert len(threads) == 2, "of the symbol, and of the market's regimes"
    fits.prepare(PAST, lambda: (PAST,))
    assert len(threads) == 2, "they are there"
    assert made is fits._made(ahead, call)
    assert len(called) == 2
    assert fits._making == {}


def test_a_market_that_is_not_there_is_made_aside_and_nobody_waits_for_its_parts():
    def never(*_: object, **__: object) -> None:
        raise AssertionError("somebody waited for a fit")

    pasts, works, made = pair(400), [], []
    fits = Fits(never, works.append)

    def is_near() -> bool:
        return fits.is_market_near(pasts["AAA"], pasts.values, lambda: made.append(True))

    assert not is_near()
    assert not is_near()
    assert len(works) == 1, "it is asked for once"
    works[0](lambda function, *args, **kwargs: function(*args, **kwargs))
    assert made == [True]
    assert is_near()
    market = fits.of_market(pasts["AAA"], pasts.values)
    alone = Fits().of_market(pasts["AAA"], pasts.values)
    assert market is not None
    assert alone is not None
    np.testing.assert_array_equal(market.rows, alone.rows)


@given(
    st.lists(st.sets(st.integers(0, 12), max_size=13), min_size=1, max_size=4), st.integers(1, 14)
)
def test_the_newest_common_moments_are_those_of_the_whole_histories(
    days: list[set[int]], n: int
) -> None:
    moments = [np.array(sorted(each), dtype=float) for each in days]
    assert _last_common(moments, n).tolist() == sorted(set.intersection(*days))[-n:]


def test_the_same_days_need_no_search() -> None:
    days = np.arange(20.0)
    assert _last_common([days, days[5:]], 10).tolist() == days[-10:].tolist()
    assert _last_common([days, days[15:]], 10).tolist() == days[15:].tolist()
    assert (
        _last_common([days, np.delete(days, 12)], 10).tolist() == np.delete(days, 12)[-10:].tolist()
    )
