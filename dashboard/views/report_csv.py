"""The report card as a table for spreadsheets: a row for each level and horizon, shares as fractions."""

import csv
import io
from collections.abc import Iterator

from dashboard import formatting as fmt
from dashboard.views.forecast_place import LEVELS, level_name
from dashboard.views.intervals import wilson
from dashboard.views.report_card import N_TENTHS, cards_of, grade_of, skill_of
from engine.domain.forecast import HORIZONS, LevelCard
from engine.domain.sections import Snapshot

COUNTED = (50, 80, 90, 95)
HEAD = (
    "symbol", "level", "name", "horizon_bars", "n", "n_rehearsed", "grade",
    *(f"inside_{band}{end}" for band in COUNTED for end in ("", "_low", "_high")),
    "exceptions_99", "crps", "base_crps", "skill", "dm_t",
    *(f"pit_{k}" for k in range(1, N_TENTHS + 1)), "fault",
)  # fmt: skip


def csv_text(snapshot: Snapshot, symbol: str) -> str:
    """Return the card at every horizon; what is not known is empty, what a spreadsheet would run is defused."""
    cards = cards_of(snapshot, symbol)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    for level in LEVELS:
        for horizon in HORIZONS:
            known = _known(cards.get((level.value, horizon)))
            row = (symbol, level.value, level_name(level), horizon, *known)
            writer.writerow(fmt.csv_cell(cell) for cell in row)
    return text.getvalue()


def _known(card: LevelCard | None) -> list[object]:
    if card is None or not card.n:
        return [0] + [None] * (len(HEAD) - 5)
    skill, pits = skill_of(card), card.pit_counts
    return [
        card.n, card.n_rehearsed, grade_of(card), *_shares(card), card.exceptions_99, _written(card.crps),
        _written(card.base_crps), _written(skill), _written(card.dm_t),
        *(pits if len(pits) == N_TENTHS else [None] * N_TENTHS), card.fault,
    ]  # fmt: skip


def _shares(card: LevelCard) -> Iterator[float | None]:
    """Return the observed share inside each band and the ends of its 95% Wilson interval."""
    for inside in card.inside:
        low, high = wilson(inside, card.n)
        yield from (_written(share) for share in (inside / card.n, low, high))


def _written(value: float | None) -> float | None:
    """Return a value to six figures: more are noise."""
    return None if value is None else float(f"{value:.6g}")
