"""The Risk page's words and numbers, checked by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from dashboard.views import account_risk as known
from dashboard.views import risk as view
from dashboard.views import risk_lists as lists
from dashboard.views import risk_series as series
from engine.domain.instrument import Instrument
from engine.domain.market import BarColumns
from engine.domain.risk import Alert, LimitUse, RiskLevel, RiskLimits, RiskMetrics, Severity
from engine.domain.sections import (
    AlertRow,
    AlertsSection,
    BarsSection,
    EquityPoint,
    InstrumentsSection,
    PortfolioSection,
    RiskSection,
    Section,
    Snapshot,
    TradingSection,
)
from engine.domain.trading import Account, HaltMode, Position
from tests.dashboard.samples import SampleGateway, sample_values

BEGIN = datetime(2008, 9, 2, tzinfo=UTC)


def snapshot(**changes):
    values = sample_values() | {name.replace("__", ":"): value for name, value in changes.items()}
    return SampleGateway({n: v for n, v in values.items() if v is not None}).read()


def portfolio(curve, equity, peak, positions=(), marks=None):
    points = tuple(EquityPoint(at=86_400 * k, equity=Decimal(v)) for k, v in enumerate(curve))
    return PortfolioSection(
        account=Account(positions=positions, initial_cash=Decimal(100)), equity=Decimal(equity),
        day_start_equity=Decimal(100), day_pnl=Decimal(0), peak_equity=Decimal(peak),
        positions=positions, marks=marks or {},
        equity_curve=points,
    )  # fmt: skip


def held(symbol, quantity, entry):
    return Position(
        symbol=symbol, quantity=Decimal(quantity), entry_price=Decimal(entry), opened_at=BEGIN
    )


def flat_metrics():
    return RiskSection(
        metrics=RiskMetrics(
            scope="portfolio", n_observations=0, var_95=0.0, var_99=0.0, cvar_95=0.0, volatility=0.0,
            note=known.NO_POSITION,
        )
    )  # fmt: skip


def columns(symbol, closes):
    none = (None,) * len(closes)
    at = tuple(86_400 * (k + 1) for k in range(len(closes)))
    return BarsSection(
        columns=BarColumns(
            symbol=symbol, closes_at=at, open=none, high=none, low=none, volume=none,
            close=tuple(map(float, closes)),
        )
    )  # fmt: skip


def test_drawdown_counts_from_the_highest_equity_before():
    account = portfolio(["100", "110", "99", "104.5"], equity="88", peak="110")
    assert view.drawdowns(account) == pytest.approx((0.0, 0.0, -0.1, -0.05, -0.2))


def test_the_newest_drawdown_counts_from_the_peak_that_the_limit_counts_from():
    account = portfolio(["100", "100"], equity="96", peak="120")
    assert view.drawdowns(account)[-1] == pytest.approx(-0.2)
    assert view.drawdowns(account)[:-1] == (0.0, 0.0)  # control: the closes never saw that peak


def test_a_peak_before_the_curve_counts_from_its_first_point():
    cut = portfolio(["110", "115"], equity="120", peak="125")  # the account began with 100
    assert view.drawdowns(cut) == pytest.approx((-0.12, -0.08, -0.04))
    assert series.drawdown_view(snapshot(portfolio=cut)).now == "−4.00%"


def test_short_positions_add_to_gross_and_take_from_net_exposure():
    positions = (held("A", "10", "5"), held("B", "-4", "10"))
    account = portfolio([], equity="200", peak="200", positions=positions, marks={"A": 6.0})
    gross, net = view.exposures(account)  # 10 x 6 by its mark, 4 x 10 by its entry
    assert (gross, net) == pytest.approx((0.5, 0.1))


def test_an_account_without_value_has_no_exposure_to_tell():
    assert view.exposures(portfolio([], equity="0", peak="100")) == (None, None)


def test_gauges_stand_on_the_scale_of_their_limits():
    var_95, var_99, es_95 = view.gauges_view(snapshot())
    assert (var_95.value, var_95.of_limit, var_95.is_limited) == ("0.52", "10% of limit", True)
    assert var_95.share == pytest.approx(0.0052 / 0.05)
    assert (var_99.of_limit, var_99.is_limited) == ("no limit set", False)
    assert es_95.share == pytest.approx(0.0074 / 0.08)
    assert (es_95.of_limit, es_95.is_limited) == ("9% of limit", True)


def test_gauge_money_is_the_share_of_equity():
    assert view.gauges_view(snapshot())[0].money == "$534"  # 0.0052 x 102,641.63


def test_only_methods_that_are_known_are_marked():
    var_95, _, es_95 = view.gauges_view(snapshot())
    assert [m.method for m in var_95.marks] == ["historical", "parametric", "Monte Carlo"]
    assert [(m.method, m.value) for m in es_95.marks] == [("historical", "0.74%")]


def test_nothing_known_is_a_dash_and_says_why():
    shot = snapshot(risk__portfolio=None)
    assert {g.value for g in view.gauges_view(shot)} == {"–"}
    assert view.level_view(shot).words == known.WAITING
    facts = {f.key: f for f in view.account_view(shot)}
    assert (facts["beta"].value, facts["beta"].tip) == ("–", known.WAITING)


def test_numbers_of_an_empty_account_are_not_shown_beside_an_open_position():
    shot = snapshot(risk__portfolio=flat_metrics())
    assert known.metrics_of(shot) is None
    assert view.level_view(shot).words == known.OPENED_SINCE
    assert view.gauges_view(shot)[0].value == "–"


def test_an_account_without_positions_risks_nothing_and_says_so():
    empty = portfolio(["100"], equity="100", peak="100")
    shot = snapshot(risk__portfolio=flat_metrics(), portfolio=empty)
    assert view.level_view(shot).words == "No position is open, so nothing is at risk."
    assert view.gauges_view(shot)[0].value == "0.00"
    for gauge in view.gauges_view(shot):
        assert (gauge.marks, gauge.words) == ((), "no position held")


def test_zeros_that_rest_on_no_return_are_a_dash_with_the_reason():
    empty = portfolio(["100"], equity="100", peak="100")
    shot = snapshot(risk__portfolio=flat_metrics(), portfolio=empty)
    facts = {f.key: f for f in view.account_view(shot)}
    for key in ("volatility", "sharpe", "sortino", "beta"):
        assert (facts[key].value, facts[key].tip) == ("–", "no position held, n = 0")
    known = {f.key: f for f in view.account_view(snapshot())}
    assert known["volatility"].value.endswith("%")  # control: returns are behind it


def test_the_level_shows_the_points_that_make_its_score():
    found = view.level_view(snapshot())
    assert (found.word, found.score) == ("HIGH", "5 points")
    assert sum(int(points) for _, _, points in found.points) == 5


def test_too_few_returns_give_no_level():
    thin = RiskSection(
        metrics=RiskMetrics(scope="portfolio", n_observations=4, note="n = 4 returns, needs 20")
    )
    found = view.level_view(snapshot(risk__portfolio=thin))
    assert found.level is None
    assert "n = 4 returns, needs 20" in found.words


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("-53.49% from 252-bar high", "−53.49% from 252-bar high"),
        ("-0.00% from 252-bar high", "0.00% from 252-bar high"),
        ("2 of -0.05", "2 of −0.05"),
    ],
)
def test_words_of_the_engine_get_the_minus_of_the_screen(given, shown):
    assert known.signs(given) == shown


@pytest.mark.parametrize(
    ("value", "left"), [(0.079, "2.10 pts left"), (0.1, "at the limit"), (0.1025, "0.25 pts over")]
)
def test_a_limit_says_what_is_left_or_over(value, left):
    trading = TradingSection(uses=(LimitUse(name="Largest position", value=value, limit=0.1),))
    assert view.limits_view(snapshot(trading=trading))[0].left == left


def test_a_limit_of_nothing_has_no_share():
    trading = TradingSection(uses=(LimitUse(name="Daily loss", value=0.0, limit=0.0),))
    assert view.limits_view(snapshot(trading=trading))[0].use is None


@pytest.mark.parametrize(
    ("mode", "tone"),
    [(HaltMode.ACTIVE, "up"), (HaltMode.REDUCING, "warn"), (HaltMode.HALTED, "crit")],
)
def test_the_kill_switch_is_told_in_words_and_tone(mode, tone):
    assert view.trading_words(snapshot(trading=TradingSection(mode=mode)))[1] == tone


def test_a_symbol_beyond_the_limit_is_marked_and_one_at_it_is_not():
    section = RiskSection(metrics=RiskMetrics(scope="AAPL", n_observations=500, var_95=0.0501))
    at_limit = replace(section, metrics=replace(section.metrics, var_95=0.05))
    limits = TradingSection(limits=RiskLimits(max_var_95=0.05))
    over = lists.symbols_view(snapshot(risk__AAPL=section, trading=limits))[0]
    assert over.is_over
    assert over.tip == "over the limit of 5.00%"
    assert not lists.symbols_view(snapshot(risk__AAPL=at_limit, trading=limits))[0].is_over


def test_a_symbol_without_numbers_has_no_level():
    line = lists.symbols_view(snapshot(risk__AAPL=None))[0]
    assert (line.symbol, line.level, line.var_95, line.sample) == ("AAPL", None, "–", "–")


def test_the_export_holds_plain_numbers_and_empty_cells():
    text = lists.csv_text(lists.symbols_view(snapshot(risk__GOOG=None)))
    head, first, second, *_ = text.splitlines()
    assert head.startswith("symbol,level,var_95_percent")
    assert first == "AAPL,high,0.52,0.85,0.74,9.0,-5.4,500"
    assert second == "GOOG,,,,,,,"


def test_alerts_that_wait_come_first():
    def row(seq, is_seen):
        alert = Alert(
            alert_id=f"a{seq}", symbol="AAPL", metric="var_95", severity=Severity.WARNING,
            title="t", message="m", raised_at=BEGIN,
        )  # fmt: skip
        return AlertRow(alert=alert, at=float(seq), seq=seq, is_acknowledged=is_seen)

    shot = snapshot(alerts=AlertsSection(rows=(row(3, True), row(2, False), row(1, False))))
    assert [a.alert_id for a in lists.alerts_view(shot)] == ["a2", "a1", "a3"]
    assert lists.open_alerts(shot) == "2 open of 3"
    assert lists.alerts_view(shot)[0].when == "2 Sep 2008"


def test_level_of_a_metrics_section_is_its_own():
    assert lists.symbols_view(snapshot())[0].level is RiskLevel.HIGH


def test_age_counts_from_the_account_while_nothing_is_held():
    empty = portfolio(["100"], equity="100", peak="100")
    shot = snapshot(risk__portfolio=flat_metrics(), portfolio=empty)
    late = replace(
        shot.sections["portfolio"].stamp, computed_at=shot.stamp("portfolio").computed_at + 9
    )
    shot.sections["portfolio"] = replace(shot.sections["portfolio"], stamp=late)
    assert known.age_view(shot).received_at == late.computed_at
    held_shot = snapshot()  # control: with positions the risk's own stamp counts
    assert known.age_view(held_shot).received_at == held_shot.stamp("risk:portfolio").computed_at


# -- series ------------------------------------------------------------------------------------------------------


def test_correlations_agree_with_numpy():
    returns = np.random.default_rng(3).normal(size=(4, 60))
    assert series.correlations(returns) == pytest.approx(np.corrcoef(returns))


def test_a_price_that_never_moved_correlates_with_nothing():
    found = series.correlations(np.array([[0.0, 0.0, 0.0], [0.1, -0.1, 0.0]]))
    assert np.isnan(found[0]).all()
    assert found[1, 1] == pytest.approx(1.0)


def test_alike_rows_become_neighbours():
    groups = np.array([[1, 0.1, 0.9, 0], [0.1, 1, 0, 0.8], [0.9, 0, 1, 0.2], [0, 0.8, 0.2, 1]])
    order = series.clustered(groups)
    assert sorted(order) == [0, 1, 2, 3]
    assert abs(order.index(0) - order.index(2)) == 1
    assert abs(order.index(1) - order.index(3)) == 1


def pair_of(n):
    rng = np.random.default_rng(5)
    moves = rng.normal(0, 0.01, n)
    first = 100 * np.cumprod(1 + moves)
    second = 50 * np.cumprod(1 - moves)
    watched = InstrumentsSection(
        instruments=(Instrument(symbol="A", name="a"), Instrument(symbol="B", name="b"))
    )
    return SampleGateway(
        {"instruments": watched, "bars:A": columns("A", first), "bars:B": columns("B", second)}
    ).read()


def test_mirrored_prices_correlate_at_minus_one_and_the_diagonal_is_empty():
    found = series.correlation_view(pair_of(100))
    assert found.n == series.WINDOW
    assert found.values[0][1] == pytest.approx(-1.0)
    assert found.values[0][0] is None
    assert found.texts == (("", "−1.00"), ("−1.00", ""))


def test_too_few_shared_returns_give_no_map():
    assert series.correlation_view(pair_of(series.LEAST_RETURNS)).symbols == ()
    assert series.correlation_view(pair_of(series.LEAST_RETURNS + 1)).symbols == ("A", "B")


def test_drawdown_is_drawn_in_percent_down_to_below_the_limit():
    account = portfolio(["100", "95"], equity="95", peak="100")
    trading = TradingSection(limits=RiskLimits(max_drawdown=0.10))
    found = series.drawdown_view(snapshot(portfolio=account, trading=trading))
    assert found.percent[:2] == pytest.approx((0.0, -5.0))
    assert (found.limit, found.now) == (-10.0, "−5.00%")
    assert found.low < -10.0
    assert len(found.at) == len(found.percent)


def ticks_of(*days):
    """Return the ticks of an account whose bars closed so many days after the first."""
    account = replace(
        portfolio([], equity="100", peak="100"),
        equity_curve=tuple(
            EquityPoint(at=int((BEGIN + timedelta(days=d)).timestamp()), equity=Decimal(100))
            for d in days
        ),
    )
    found = SampleGateway({"portfolio": account}).read()
    old = Section("portfolio", account, replace(found.stamp("portfolio"), as_of=BEGIN))
    return series.drawdown_view(Snapshot(1, {"portfolio": old})).ticks


def test_the_first_days_have_their_dates_below_the_drawdown_and_no_part_of_a_day():
    for days in ((0,), (0, 1), (0, 1, 2, 3)):
        found = ticks_of(*days)
        assert (found.format, found.first, found.step_s) == ("%-d %b", BEGIN, 86_400)
    assert ticks_of(0).x_range == (BEGIN - timedelta(hours=12), BEGIN + timedelta(hours=12))
    assert ticks_of(0, 1).x_range is None
    assert ticks_of(0, 0.1).format == "%-d %b %H:%M"
    assert (ticks_of(0, 40).format, ticks_of(0, 400).format) == ("%-d %b", "%b %y")
    assert ticks_of(0, 40).step_s is None  # the chart chooses


def test_without_trading_no_limit_is_drawn():
    found = series.drawdown_view(snapshot(trading=None))
    assert (found.limit, found.limit_words) == (None, "no limit set")
