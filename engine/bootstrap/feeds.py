"""Which feed the settings ask for."""

from datetime import UTC, datetime, time

from engine.adapters.feeds.replay import ReplayFeed
from engine.adapters.feeds.synthetic import SyntheticFeed
from engine.ports.feed import Feed
from engine.settings import FeedChoice, Settings


def build_feed(settings: Settings) -> Feed:
    """Return the feed of the settings, at its start.

    Raises
    ------
    FeedError
        A symbol or the start lies outside what the feed can show.
    """
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
