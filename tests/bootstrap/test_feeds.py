"""Which feed the settings ask for, and that it obeys them."""

import pytest

from engine.bootstrap.feeds import build_feed
from engine.domain.errors import PilothouseError
from engine.domain.market import FeedKind
from engine.settings import load_settings


@pytest.mark.parametrize(
    ("feed", "kind"), [("replay", FeedKind.REPLAY), ("synthetic", FeedKind.SYNTHETIC)]
)
def test_either_feed_begins_at_the_speed_that_is_set(feed, kind, tmp_path):
    environment = {
        "PILOTHOUSE_HOME": str(tmp_path), "PILOTHOUSE_FEED": feed, "PILOTHOUSE_SPEED": "60",
    }  # fmt: skip
    state = build_feed(load_settings(None, environment)).state
    assert (state.kind, state.bars_per_minute) == (kind, 60.0)


def test_synthetic_prices_are_made_of_the_symbols_asked_for(tmp_path):
    environment = {
        "PILOTHOUSE_HOME": str(tmp_path), "PILOTHOUSE_FEED": "synthetic", "PILOTHOUSE_SYMBOLS": "S01,S02",
    }  # fmt: skip
    instruments = build_feed(load_settings(None, environment)).instruments
    assert [item.symbol for item in instruments] == ["S01", "S02"]


@pytest.mark.parametrize(
    ("feed", "variable", "value"),
    [
        ("replay", "PILOTHOUSE_START", "1950-01-01"),
        ("replay", "PILOTHOUSE_START", "2030-01-01"),
        ("replay", "PILOTHOUSE_SYMBOLS", "NIX"),
        ("replay", "PILOTHOUSE_SYMBOLS", "aapl"),
        ("synthetic", "PILOTHOUSE_SYMBOLS", "../x"),
        ("synthetic", "PILOTHOUSE_SYMBOLS", "<b>"),
        ("synthetic", "PILOTHOUSE_SYMBOLS", "S" * 65),
        ("synthetic", "PILOTHOUSE_SYMBOLS", ",".join(f"S{n}" for n in range(201))),
    ],
)
def test_what_the_feed_cannot_show_is_refused_by_the_variables_name(
    tmp_path, feed, variable, value
):
    environment = {"PILOTHOUSE_HOME": str(tmp_path), "PILOTHOUSE_FEED": feed, variable: value}
    with pytest.raises(PilothouseError, match=rf"^{variable}.* must "):
        build_feed(load_settings(None, environment))
