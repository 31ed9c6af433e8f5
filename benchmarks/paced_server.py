"""The program itself with its synthetic feed slowed to one tick a second per symbol; started by `benchmarks.painted`.

The shipped feed speaks four times a second; here a poll keeps the newest tick of each symbol (and every one that closes
a bar) until a second is over. Everything else is the program as a user starts it.
"""

import sys
from collections.abc import Sequence

import engine.bootstrap.engine as assembly
from dashboard.cli import main
from engine.adapters.feeds.synthetic import SyntheticFeed
from engine.domain.market import Tick
from engine.settings import Settings

PERIOD_S = 1.0
SLACK_S = 0.01


class SlowFeed(SyntheticFeed):
    """Synthetic prices once a second."""

    def poll(self, now_s: float) -> Sequence[Tick]:
        """Return nothing within a second, then the newest of each symbol and what closed."""
        if now_s < getattr(self, "_next_s", now_s) - SLACK_S:
            return ()
        self._next_s = max(getattr(self, "_next_s", now_s), now_s - PERIOD_S) + PERIOD_S
        ticks = super().poll(now_s)
        last = {tick.symbol: i for i, tick in enumerate(ticks)}
        return [
            t for i, t in enumerate(ticks) if i == last[t.symbol] or (t.bar and t.bar.is_closed)
        ]


def _slow(settings: Settings) -> SlowFeed:
    return SlowFeed(settings.symbols, seed=settings.seed)


if __name__ == "__main__":
    assembly.build_feed = _slow
    sys.exit(main(["serve", *sys.argv[1:]]))
