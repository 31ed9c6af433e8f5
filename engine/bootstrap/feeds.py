"""Which feed the settings ask for."""

import re
from datetime import UTC, datetime, time

from engine.adapters.feeds.replay import ReplayFeed
from engine.adapters.feeds.synthetic import SyntheticFeed
from engine.domain.errors import ConfigurationError, FeedError, UnknownNameError, must
from engine.ports.feed import Feed
from engine.settings import FeedChoice, Settings

MAX_SYMBOLS = 200
SYMBOL = re.compile(r"[\w .^-]{1,64}")


def build_feed(settings: Settings) -> Feed:
    """Return the feed of the settings, at its start.

    Raises
    ------
    ConfigurationError
        A symbol or the start lies outside what the feed can show; the message names the variable.
    """
    _check_symbols(settings.symbols)
    try:
        return _built(settings)
    except UnknownNameError as error:
        raise ConfigurationError(f"PILOTHOUSE_SYMBOLS: {error}") from error
    except FeedError as error:
        raise ConfigurationError(f"PILOTHOUSE_START: {error}") from error


def _check_symbols(symbols: tuple[str, ...]) -> None:
    if len(symbols) > MAX_SYMBOLS:
        raise must(
            "PILOTHOUSE_SYMBOLS", f"name at most {MAX_SYMBOLS} symbols", len(symbols), "name fewer"
        )
    for symbol in symbols:
        if SYMBOL.fullmatch(symbol) is None:
            raise must(
                "PILOTHOUSE_SYMBOLS",
                "be made of letters, digits, spaces and _ . ^ -",
                symbol[:80],
                "correct the symbol",
            )


def _built(settings: Settings) -> Feed:
    match settings.feed:
        case FeedChoice.REPLAY:
            return ReplayFeed(
                symbols=settings.symbols or None,
                start=datetime.combine(settings.start, time(), UTC),
                seed=settings.seed,
                bars_per_minute=settings.speed,
            )
        case FeedChoice.SYNTHETIC:
            return SyntheticFeed(
                symbols=settings.symbols or None, seed=settings.seed, bars_per_minute=settings.speed
            )
