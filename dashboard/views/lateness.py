"""How far a vote is behind its market: what was decided on an earlier bar must not pass for now."""

from dashboard import formatting as fmt
from engine.domain.sections import BarsSection, Snapshot
from engine.domain.signals import CycleRecord

IN_THE_MAKING = 1
"""So many bars may have closed since a vote: the next one is on its way."""


def bars_behind(snapshot: Snapshot, record: CycleRecord) -> int:
    """Return how many bars of its symbol closed since a vote; 0 while the next vote may be on its way."""
    section: BarsSection | None = snapshot.value(f"bars:{record.symbol}")
    n = 0 if section is None else section.columns.n_after(record.bar_closed_at)
    return n if n > IN_THE_MAKING else 0


def behind_words(n: int) -> str:
    """Return "112 bars ago", nothing for a vote that is not behind.

    Examples
    --------
    >>> behind_words(112), behind_words(0)
    ('112 bars ago', '')
    """
    return f"{fmt.plural(n, 'bar')} ago" if n else ""
