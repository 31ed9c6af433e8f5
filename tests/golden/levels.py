"""What each level says of one shipped day, written down: the 27 quantiles at every horizon.

A kernel that changes moves these numbers by far more than `TOLERANCE`; another library's optimiser does not.
"""

import json
from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np

from engine.adapters.feeds.shipped import DailyBars, load_shipped
from engine.domain.forecast import HORIZONS, SimulationLevel
from engine.forecasts.levels import Ask, Levels
from engine.forecasts.past import Past
from engine.forecasts.records import issued_of
from engine.forecasts.size import Size

FILE = Path(__file__).parent / "levels.json"
SYMBOLS = ("AAPL", "IBM", "MSFT")
DAY = date(2008, 9, 2)
TOLERANCE = 1e-5
"""Log return; the first step of a day's forecast is 2e-2 wide."""


def quantiles() -> dict[str, list[float]]:
    """Return log returns by level and horizon, of the first symbol."""
    pasts, levels, found = [_past(bars) for bars in load_shipped(SYMBOLS)], Levels(), {}
    for level in SimulationLevel:
        size = Size(n_paths=500, n_steps=max(HORIZONS), seed=20_080_902)
        drawn = levels.draw(level, Ask(past=pasts[0], size=size, others=lambda: pasts))
        assert drawn.level is level, drawn.note
        for horizon, row in zip(HORIZONS, issued_of(drawn).quantiles, strict=True):
            found[f"level {level.value}, {horizon} bars"] = np.round(row, 7).tolist()
    return found


def _past(bars: DailyBars) -> Past:
    n = int(np.searchsorted(bars.days, np.datetime64(DAY), side="right"))
    closes_at = [datetime.combine(day, time(21), UTC).timestamp() for day in bars.days[:n].tolist()]
    return Past(
        symbol=bars.instrument.symbol,
        closes=bars.close[:n],
        closes_at=np.array(closes_at),
        volumes=bars.volume[:n],
    )


def text(found: dict[str, list[float]]) -> str:
    """Return the record as it stands in the file, a line per level and horizon."""
    return (
        "{\n" + ",\n".join(f' "{name}": {json.dumps(row)}' for name, row in found.items()) + "\n}\n"
    )
