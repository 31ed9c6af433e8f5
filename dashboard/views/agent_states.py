"""What an agent's state is called and what it says of itself: who set it and when, what is wrong, how it works."""

from collections import Counter
from collections.abc import Sequence

from dashboard import formatting as fmt
from engine.domain.agents import AgentStatus, AgentTrouble, WorkTimes
from engine.domain.sections import AgentRow

LONG = 120
"""Errors from here on are cut where a list shows them; the whole is one hover or one click away."""
YOU = "local"
"""The actor of whoever sits at this dashboard."""
_STUCK = {"hangs": "Hangs", "slow": "Too slow"}
"""Troubles that make an agent late, and their pills."""
_FOUND = {**_STUCK, "leaks": "Keeps ever more", "floods": "Says too much"}
_NAMED = {"": "", "engine": "", "supervisor": " by the supervisor", YOU: " by you"}


def names_of(rows: Sequence[AgentRow]) -> dict[str, str]:
    """Return each agent's name by its id: its title, and the id beside it where another has the same title.

    Examples
    --------
    >>> names_of([AgentRow(agent_id="a", title="Trend"), AgentRow(agent_id="b", title="Trend")])
    {'a': 'Trend (a)', 'b': 'Trend (b)'}
    """
    times = Counter(row.title for row in rows)
    return {
        row.agent_id: f"{row.title} ({row.agent_id})" if times[row.title] > 1 else row.title
        for row in rows
    }


def shortened(words: str, longest: int = LONG) -> str:
    """Return words that fit a line or two, cut where they do not.

    Examples
    --------
    >>> shortened("KeyError: 'AAPL'"), shortened("a long story", 7)
    ("KeyError: 'AAPL'", 'a long…')
    """
    return words if len(words) <= longest else f"{words[: longest - 1].rstrip()}…"


def milliseconds(value: float | None) -> str:
    """Return a duration given in milliseconds."""
    return fmt.duration(None if value is None else value / 1000)


def interval_words(seconds: float) -> str:
    """Return an interval: plain seconds up to two minutes.

    Examples
    --------
    >>> interval_words(0.25), interval_words(27.8249), interval_words(300.0)
    ('0.25 s', '27.8 s', '5 m 00 s')
    """
    return f"{seconds:.3g} s" if seconds < 120 else fmt.duration(seconds)  # noqa: PLR2004 -- two minutes


def is_cyclic(row: AgentRow) -> bool:
    """Return whether its work is its cycle; one with a trigger works on events, whatever cycle it has beside."""
    return row.interval_s is not None and not row.trigger


def main_times(row: AgentRow) -> WorkTimes:
    """Return what the work took that an agent is there for: its cycles, or the events it waits for."""
    if row.measured is None:
        return WorkTimes()
    return row.measured.cycle_times if is_cyclic(row) else row.measured.event_times


def state_of(row: AgentRow) -> str:
    """Return the state that colour and ring follow."""
    if row.status is AgentStatus.RUNNING:
        return "late" if late_ms(row) or _stuck(row) else "running"
    return {
        AgentStatus.PAUSED: "paused",
        AgentStatus.ERROR: "failed",
        AgentStatus.STARTING: "starting",
        AgentStatus.STOPPING: "starting",
        AgentStatus.NOT_SET_UP: "not set up",
    }.get(row.status, "stopped")


def late_ms(row: AgentRow) -> float:
    """Return by how many milliseconds the last cycle outran the interval, 0 when it did not."""
    last = row.measured.cycle_times.last_ms if row.measured else None
    if last is None or row.interval_s is None:
        return 0.0
    return max(0.0, last - 1000 * row.interval_s)


def pill_of(row: AgentRow) -> str:
    """Return the state as its pill says it."""
    if row.status is AgentStatus.ERROR:
        n = row.consecutive_errors
        return f"Failed ({n}×)" if n > 1 else "Failed"
    stuck = _stuck(row)
    if stuck is not None:
        return _STUCK[stuck.kind]
    if state_of(row) == "late":
        return f"Late {milliseconds(late_ms(row))}"
    return {
        AgentStatus.CREATED: "Not started",
        AgentStatus.NOT_SET_UP: "Not set up",
    }.get(row.status, str(row.status.value).capitalize())


def problem_of(row: AgentRow) -> tuple[str, str]:
    """Return what is wrong with an agent, whole, and its tone; nothing in health."""
    if row.status is AgentStatus.ERROR:
        why = row.last_error or row.reason or "no reason was given"
        n = row.consecutive_errors
        return f"Failed{f' {n} times in a row' if n > 1 else ''}: {why.rstrip('.')}.", "crit"
    if row.status is AgentStatus.PAUSED:
        return f"{set_by(row, 'Paused')}.", "warn"
    if row.status is AgentStatus.STOPPED:
        return f"{set_by(row, 'Stopped')}.", "grey"
    if row.status is AgentStatus.RUNNING and row.measured:
        return _running_problem(row)
    return "", ""


def _running_problem(row: AgentRow) -> tuple[str, str]:
    troubles = row.measured.troubles if row.measured else ()
    if troubles:
        return " ".join(f"{_plainly(trouble)}: {trouble.message}" for trouble in troubles), "warn"
    if row.interval_s and row.measured and late_ms(row):
        took = milliseconds(row.measured.cycle_times.last_ms)
        return f"Last cycle {took}, its interval is {interval_words(row.interval_s)}.", "warn"
    return "", ""


def _plainly(trouble: AgentTrouble) -> str:
    return _FOUND.get(trouble.kind, trouble.title)


def _stuck(row: AgentRow) -> AgentTrouble | None:
    if row.status is not AgentStatus.RUNNING or row.measured is None:
        return None
    return next((t for t in row.measured.troubles if t.kind in _STUCK), None)


def set_by(row: AgentRow, word: str) -> str:
    """Return who set a state and when, and why where that says more than who."""
    who = _NAMED.get(row.actor, f" by {row.actor}")
    when = "" if row.since is None else f" at {fmt.clock(fmt.from_epoch(row.since))}"
    why = row.reason.rstrip(".")
    if row.actor == "engine" and row.status is AgentStatus.PAUSED:
        why = why or "it was paused before the restart"
    is_news = bool(why) and why.lower() != f"stopped by {row.actor}".lower()
    return f"{word}{who}{when}{f': {why}' if is_news else ''}"


def is_silent(row: AgentRow) -> bool:
    """Return whether it says nothing now, so that others miss it."""
    return row.status in {AgentStatus.ERROR, AgentStatus.PAUSED, AgentStatus.STOPPED}
