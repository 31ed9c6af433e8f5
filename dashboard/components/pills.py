"""Short states in words: pills, risk bars, grades, ages.

Colour is never alone; a dot, an icon or a sign goes with it.
"""

from datetime import datetime

from dash import html

from dashboard import formatting as fmt
from dashboard.components.icons import icon
from dashboard.components.nodes import Id, Node, attrs, classes, optional_id, present
from engine.domain.agents import AgentStatus
from engine.domain.risk import RiskLevel
from engine.domain.signals import SignalAction

PILL_KINDS = frozenset(
    {"grey", "up", "dn", "warn", "crit", "acc", "dashed", "outline", "solid-crit"}
)

_AGENT_PILLS: dict[AgentStatus, tuple[str, str, str]] = {
    AgentStatus.CREATED: ("grey", "Not started", "square"),
    AgentStatus.NOT_SET_UP: ("dashed", "Not set up", "circle-dashed"),
    AgentStatus.STARTING: ("grey", "Starting", "circle-dashed"),
    AgentStatus.RUNNING: ("up", "Running", "dot"),
    AgentStatus.PAUSED: ("warn", "Paused", "circle-pause"),
    AgentStatus.STOPPING: ("grey", "Stopping", "circle-dashed"),
    AgentStatus.STOPPED: ("grey", "Stopped", "circle-stop"),
    AgentStatus.ERROR: ("crit", "Failed", "circle-x"),
}

_ENGINE_PILLS: dict[str, tuple[str, str, str]] = {
    "running": ("up", "Running", "dot"),
    "starting": ("grey", "Starting", "circle-dashed"),
    "stopping": ("grey", "Stopping", "circle-dashed"),
    "stopped": ("grey", "Stopped", "circle-stop"),
    "paused": ("warn", "Entries paused", "circle-pause"),
    "entries paused": ("warn", "Entries paused", "circle-pause"),
    "halted": ("warn", "Entries paused", "circle-pause"),
    "reduce only": ("warn", "Reduce only", "minus"),
    "failed": ("crit", "Failed", "circle-x"),
    "error": ("crit", "Failed", "circle-x"),
}

_RISK_WORDS = {
    RiskLevel.LOW: ("LOW", 1, "low"),
    RiskLevel.MEDIUM: ("MED", 2, "medium"),
    RiskLevel.HIGH: ("HIGH", 3, "high"),
    RiskLevel.CRITICAL: ("CRIT", 4, "critical"),
}


def pill(
    kind: str, text: str, icon_name: str | None = None, *, id: Id | None = None, tip: str = ""
) -> html.Span:
    """Return a pill 20 high.

    Parameters
    ----------
    kind : str
        One of `PILL_KINDS`.
    icon_name : str, optional
        A Lucide name, or "dot".
    tip : str
        Shown on hover.
    """
    mark: Node = None
    if icon_name:
        mark = html.Span(className="ph-dot") if icon_name == "dot" else icon(icon_name, 12)
    extra = {"data-tip": tip} if tip else {}
    return html.Span(
        present(mark, text),
        className=classes("ph-pill", f"ph-pill-{kind}"),
        **optional_id(id),
        **attrs(extra),
    )


def agent_pill(status: AgentStatus, *, text: str = "", id: Id | None = None) -> html.Span:
    """Return the state of an agent; `text` replaces the word, for example "Failed (5×)"."""
    kind, word, mark = _AGENT_PILLS[status]
    return pill(kind, text or word, mark, id=id)


def late_pill(text: str) -> html.Span:
    """Return "Late 2.1 s": an agent that overran its time."""
    return pill("warn", text, "clock")


def engine_pill(state: str, *, id: Id | None = None) -> html.Span:
    """Return the state of the engine; a word that is not known is shown as it is, in grey."""
    kind, word, mark = _ENGINE_PILLS.get(
        state.lower(), ("grey", state.capitalize() or fmt.UNKNOWN, "circle-dashed")
    )
    return pill(kind, word, mark, id=id)


def side_pill(action: SignalAction | str, *, id: Id | None = None) -> html.Span:
    """Return BUY, SELL or HOLD with its triangle."""
    word = str(action)
    kind, sign = {"BUY": ("up", fmt.UP), "SELL": ("dn", fmt.DOWN)}.get(word, ("grey", ""))
    mark = html.Span(sign, className="ph-tri", **attrs({"aria-hidden": "true"})) if sign else None
    return html.Span(
        present(mark, word),
        className=classes("ph-pill ph-side", f"ph-pill-{kind}"),
        **optional_id(id),
    )


def mode_pill(mode: str) -> html.Span:
    """Return PAPER as an outline, LIVE solid with a bolt."""
    is_live = mode.upper() == "LIVE"
    return pill(
        "solid-crit" if is_live else "outline",
        "LIVE" if is_live else "PAPER",
        "zap" if is_live else None,
    )


def risk_bars(
    level: RiskLevel | None, *, with_word: bool = False, id: Id | None = None
) -> html.Span:
    """Return the four bars of a risk level with their text alternative; no bar is lit where nothing is known."""
    word, lit, name = _RISK_WORDS[level] if level else (fmt.UNKNOWN, 0, "unknown")
    bars = html.Span(
        [html.Span(className="ph-on" if i < lit else None) for i in range(4)],
        className=classes("ph-bars", f"ph-bars-{lit}"),
        role="img",
        **attrs({"aria-label": f"risk {name}"}),
    )
    return html.Span(
        present(
            bars,
            html.Span(word, className="ph-tx2 ph-t11", **attrs({"aria-hidden": "true"}))
            if with_word
            else None,
        ),
        className="ph-risk",
        **optional_id(id),
    )


def grade(letter: str | None, horizon: str, n: int, *, id: Id | None = None) -> html.Span:
    """Return the grade of a forecast's coverage; below 20 cases a dash, with the count in the tip."""
    text, said = grade_words(letter, horizon, n)
    return html.Span(
        text,
        className=grade_classes(letter, n),
        role="img",
        **optional_id(id),
        **attrs({"aria-label": said, "data-tip": said}),
    )


def grade_words(letter: str | None, horizon: str, n: int) -> tuple[str, str]:
    """Return what a grade shows and what it says, for a patch that changes it."""
    if _is_given(letter, n):
        return f"{letter}", f"grade {letter} at {horizon}, {fmt.sample(n)}"
    return fmt.UNKNOWN, f"no grade at {horizon}, {fmt.sample(n)}"


def grade_classes(letter: str | None, n: int) -> str:
    """Return the class names of a grade, for a patch that changes it."""
    return classes("ph-grade", f"ph-grade-{letter}" if _is_given(letter, n) else "ph-grade-none")


def _is_given(letter: str | None, n: int) -> bool:
    return letter is not None and n >= fmt.MIN_SAMPLE


def age(
    id: Id,
    received_at: float | None,
    budget_s: float,
    text: str,
    *,
    state: str = "fresh",
    is_behind: bool = False,
) -> html.Span:
    """Return an age that the live script keeps counting.

    Parameters
    ----------
    received_at : float, optional
        Wall time of receipt in epoch seconds; None for a value that never came.
    budget_s : float
        Age up to which the value counts as fresh.
    text : str
        What it reads at the moment of drawing, from `formatting.age`.
    state : str
        From `formatting.age_state`.
    is_behind : bool
        The value speaks of an earlier bar than the market is at: stale, also while a replay is paused.
    """
    data = {"data-age": "unknown" if received_at is None else state, "data-budget": f"{budget_s:g}"}
    if received_at is not None:
        data["data-received"] = f"{received_at:.3f}"
        data["data-behind"] = "1" if is_behind else "0"
    return html.Span(text, className="ph-age", **optional_id(id), **attrs(data))


def feed_label(
    kind: str,
    detail: str,
    market_date: datetime | None,
    age_pill: Node = None,
    *,
    is_lost: bool = False,
    ids: str = "feed",
) -> html.Span:
    """Return the feed in the bar: icon, REPLAY or SYNTHETIC, its speed, the market's date, the age.

    The texts have the ids ``{ids}-kind``, ``{ids}-detail`` and ``{ids}-date``, so that patches reach them.
    """
    return html.Span(
        present(
            icon("wifi-off" if is_lost else "radio", 20 if is_lost else 16),
            html.Strong(kind.upper(), id=f"{ids}-kind", className="ph-strong"),
            html.Span(detail, id=f"{ids}-detail", className="ph-tx2"),
            html.Span(fmt.date(market_date), id=f"{ids}-date", className="ph-tx3 ph-not-phone"),
            age_pill,
        ),
        className=classes("ph-feed", "ph-crit" if is_lost else None),
        id=ids,
    )
