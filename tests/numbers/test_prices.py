"""Quotes and bars against the shipped files, read and adjusted by pandas alone."""

import numpy as np
import pytest

from engine.domain.events import EventType
from tests.numbers.runs import log_of, section

COLUMNS = ("open", "high", "low", "close", "volume")


def test_bar_sections_hold_the_shipped_bars_without_a_gap(replay, shipped):
    for symbol, bars in shipped.items():
        columns = section(replay, f"bars:{symbol}").columns
        first = bars.index.get_loc(columns.closes_at[0])
        expected = bars.iloc[first : first + len(columns.closes_at)]
        assert list(expected.index) == list(columns.closes_at)
        for name in COLUMNS:
            values = getattr(columns, name)
            if expected[name].isna().all():
                assert set(values) == {None}
            else:
                np.testing.assert_allclose(
                    values, expected[name], rtol=2e-6, atol=0.5 * (name == "volume")
                )


def test_a_quote_is_the_last_tick_held_against_the_close_before_its_bar(replay, shipped):
    for symbol, quote in section(replay, "quotes").quotes.items():
        closes = shipped[symbol].close
        before = closes[closes.index < quote.bar.closes_at.timestamp()]
        last = [e for e in log_of(replay, EventType.MARKET_DATA) if e.data["symbol"] == symbol][-1]
        assert (quote.price, quote.as_of) == (last.data["price"], last.as_of)
        assert not quote.bar.is_closed
        assert quote.previous_close == pytest.approx(before.iloc[-1], rel=1e-6)
        np.testing.assert_allclose(quote.spark, [*before.iloc[-30:], quote.price], rtol=1e-6)


def test_a_forming_bar_knows_only_what_was_shown_and_closes_as_the_file_says(replay, shipped):
    shown: dict[tuple[str, str], list[float]] = {}
    n_closed = 0
    for event in log_of(replay, EventType.MARKET_DATA):
        price, bar = event.data["price"], event.data["bar"]
        prices = shown.setdefault((event.data["symbol"], str(bar["closes_at"])), [])
        prices.append(price)
        assert bar["close"] == price
        if bar["open"] is not None:
            assert bar["open"] == prices[0]
            assert bar["low"] <= min(prices)
            assert bar["high"] >= max(prices)
        if bar["is_closed"]:
            row = shipped[event.data["symbol"]].loc[int(event.as_of.timestamp())]
            n_closed += 1
            for name in ("open", "high", "low", "close"):
                if bar[name] is not None:
                    assert bar[name] == pytest.approx(row[name], rel=1e-6)
    assert n_closed == 14 * len(shipped)
