"""Broken surroundings and how the engine's writers speak of them: what failed, since when it works again."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often the log writes.

    Parameters
    ----------
    batch_s : float
        Longest time that an event waits for the journal.
    flush_s : float
        Shortest time between two writes of sections.
    state_s : float
        Shortest time between two writes of the agents' shared memory.
    retry_s, retry_max_s : float
        First and longest wait before a failed write is tried again; doubled in between.
    checkpoint_every : int
        Journalled events between two checkpoints.
    keep_stream : int
        Ticks that stay in the journal; at least twice `checkpoint_every`, because a restart folds from a checkpoint.
    """

    batch_s: float = 0.05
    flush_s: float = 0.05
    state_s: float = 1.0
    retry_s: float = 0.1
    retry_max_s: float = 5.0
    checkpoint_every: int = 5_000
    keep_stream: int = 50_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """A part of the surroundings failed, or works again.

    Parameters
    ----------
    part : str
        "journal" or "store".
    error : Exception or None
        None when it works again.
    """

    part: str
    error: Exception | None

    @property
    def is_over(self) -> bool:
        """True when the part works again."""
        return self.error is None


OnTrouble = Callable[[Trouble], None]
