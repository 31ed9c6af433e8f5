"""Failures in a row, the back-off they cause and the breaker they trip; one fence per agent.

Rows are counted per place ("cycle", "handle MARKET_DATA"), so that a healthy handler does not hide a broken cycle.
"""

from engine.domain.payload import whole_text

BREAKER = 5
"""Failures in a row at one place after which the agent is taken out of service."""
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0


class Fence:
    """Counts failures in a row; times are seconds of the clock's monotonic time."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self.quiet_until_s = 0.0
        self.last_error = ""

    @property
    def consecutive(self) -> int:
        """The longest present row of failures."""
        return max(self._rows.values(), default=0)

    def failed(self, where: str, error: BaseException, now_s: float) -> int:
        """Count a failure, start the back-off (0.5 s, doubling up to 30 s) and return the row's length."""
        row = self._rows[where] = self._rows.get(where, 0) + 1
        backoff_s = min(FIRST_BACKOFF_S * 2 ** min(row - 1, BREAKER), LONGEST_BACKOFF_S)
        self.quiet_until_s = now_s + backoff_s
        self.last_error = f"{type(error).__name__}: {_words_of(error)}"
        return row

    def passed(self, where: str) -> None:
        """End the row of one place."""
        self._rows.pop(where, None)

    def reset(self) -> None:
        """Forget every row: a start begins afresh."""
        self._rows.clear()
        self.quiet_until_s = 0.0
        self.last_error = ""


def _words_of(error: BaseException) -> str:
    """Return what an error says of itself, as text that can be shown; an error of an agent's own may say nothing."""
    try:
        return str(whole_text(str(error)))
    except Exception:  # noqa: BLE001 -- whatever its own code does
        return "it cannot be told"
