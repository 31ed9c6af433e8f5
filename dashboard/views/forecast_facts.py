"""What stands beside the forecast's chart: the head, the five rows, the figures, and what each level rests on."""

from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views import bars as b
from dashboard.views.ages import is_behind
from dashboard.views.forecast_chart import shown_horizon
from dashboard.views.forecast_place import LEVELS, Place, level_name, not_made
from dashboard.views.forecast_reading import (
    Reading,
    horizon_words,
    probability_up,
    reading,
    writer,
)
from dashboard.views.price_chart import columns_of, forecast_of, instrument_of
from dashboard.views.report_card import Cards, cards_of, grade_of, skill_of
from engine.domain.agents import AgentStatus
from engine.domain.forecast import TOUCH, Forecast
from engine.domain.instrument import Instrument
from engine.domain.sections import AgentsSection, Snapshot

MONTE_CARLO = "monte_carlo"
FIRST = "The first one comes with the next closed bar."
_STILL = {
    AgentStatus.PAUSED: ("Paused", "Monte Carlo is paused: no new forecast until it is resumed."),
    AgentStatus.STOPPED: (
        "Stopped",
        "Monte Carlo is stopped: no new forecast until it is started.",
    ),
    AgentStatus.ERROR: ("Failed", "Monte Carlo has failed: no new forecast until it is restarted."),
    AgentStatus.NOT_SET_UP: ("Not set up", "Monte Carlo is not set up."),
}
"""What keeps an agent from forecasting: in a word, and what follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands over the chart: `state` and `trouble` where nothing new comes, `stands_in` for a lower level."""

    spot: str
    title: str
    issued: str
    received_at: float | None
    budget_s: float
    is_behind: bool
    is_known: bool
    why_none: str
    state: str
    trouble: str
    stands_in: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRow:
    """One level of the table."""

    level: int
    name: str
    up: str
    band: str
    width: str
    skill: str
    letter: str | None
    n: int
    graded_at: str
    note: str


Figures = tuple[tuple[str, str, str], ...]
"""Name, value, and where it comes from."""


def head_view(snapshot: Snapshot, place: Place) -> Head:
    """Return the head of the newest stored forecast."""
    item = instrument_of(snapshot, place.symbol)
    forecast = forecast_of(snapshot, place.symbol, str(place.level))
    stamp = snapshot.stamp(f"forecast:{place.symbol}")
    (state, trouble), note = _trouble(snapshot), forecast.note if forecast else ""
    is_other = note.startswith("level ") and "stands in" in note
    return Head(
        spot=fmt.price(forecast.spot, item.tick_size) if forecast else fmt.UNKNOWN,
        title=f"Level {place.level} {level_name(place.level)}",
        issued=_issued(snapshot, place, forecast) if forecast else "",
        received_at=stamp.computed_at if stamp and forecast else None,
        budget_s=(stamp.budget_s if stamp else None) or 0.0,
        is_behind=forecast is not None and is_behind(snapshot, f"forecast:{place.symbol}", place.symbol),
        is_known=forecast is not None,
        why_none=_why_none(snapshot, place, trouble),
        state=state,
        trouble=trouble,
        stands_in=note[:1].upper() + note[1:] if is_other else "",
    )  # fmt: skip


def _issued(snapshot: Snapshot, place: Place, forecast: Forecast) -> str:
    has_time = b.has_times(columns_of(snapshot, place.symbol))
    words = f"issued {b.moment_words(forecast.origin, has_time=has_time, year=False)}"
    words += f" · {fmt.count(forecast.n_paths)} × {forecast.n_steps}"
    others = sum(
        each.value != place.level
        and (made := forecast_of(snapshot, place.symbol, str(each.value))) is not None
        and made.origin == forecast.origin
        for each in LEVELS
    )
    return (
        f"with {fmt.plural(others, 'other level')}, {words}" if place.is_all and others else words
    )


def _trouble(snapshot: Snapshot) -> tuple[str, str]:
    section: AgentsSection | None = snapshot.value("agents")
    rows = section.rows if section else ()
    row = next((row for row in rows if row.agent_id == MONTE_CARLO), None)
    if row is None or row.status not in _STILL:
        return "", ""
    state, words = _STILL[row.status]
    return state, f"{words} {row.reason}".strip()


def _why_none(snapshot: Snapshot, place: Place, trouble: str) -> str:
    """Return why there is no forecast of this level: the agent is still, the past too short, or none was issued."""
    if trouble := not_made(snapshot, place.level) or trouble:
        return trouble
    others = [each.value for each in LEVELS if forecast_of(snapshot, place.symbol, str(each.value))]
    if others:
        given = ", ".join(map(str, others))
        return f"Level {place.level} has issued none for {place.symbol}; there is one of level {given}."
    n = len(columns_of(snapshot, place.symbol).closes_at)
    return f"{FIRST} {fmt.plural(n, 'closed bar')} so far." if n else FIRST


# -- the table ---------------------------------------------------------------------------------------------


def level_rows(
    snapshot: Snapshot, place: Place, what_if: dict[int, Forecast] | None = None
) -> tuple[LevelRow, ...]:
    """Return the five levels, each from its newest forecast or from the answer to a what-if."""
    item, cards = instrument_of(snapshot, place.symbol), cards_of(snapshot, place.symbol)
    given, seconds = what_if or {}, b.bar_seconds(columns_of(snapshot, place.symbol))
    return tuple(
        _row(
            place.at_level(each.value),
            given.get(each.value) or forecast_of(snapshot, place.symbol, str(each.value)),
            item,
            cards,
            seconds,
            is_whole=each.value in given,
        )
        for each in LEVELS
    )


def _row(
    place: Place, forecast: Forecast | None, item: Instrument, cards: Cards, seconds: int, *, is_whole: bool
) -> LevelRow:  # fmt: skip
    read = reading(forecast, shown_horizon(place, forecast, is_whole=is_whole))
    card = cards.get((place.level, place.card))
    skill = skill_of(card) if card else None
    up, band, width = _numbers(forecast, read, place, item)
    return LevelRow(
        level=place.level,
        name=level_name(place.level),
        up=up,
        band=band,
        width=width,
        skill=fmt.UNKNOWN if skill is None else fmt.percent(skill, 1, signed=True),
        letter=grade_of(card) if card else None,
        n=card.n if card else 0,
        graded_at=horizon_words(place.card, seconds),
        note=forecast.note if forecast else "No forecast yet",
    )


def _numbers(
    forecast: Forecast | None, read: Reading | None, place: Place, item: Instrument
) -> tuple[str, str, str]:
    if forecast is None or read is None:
        return (fmt.UNKNOWN,) * 3
    low, high = read.band(place.edges if place.is_all else 80)
    write = writer(read.spot, item)
    return (
        fmt.share(probability_up(forecast, read.horizon)),
        fmt.span(low, high, write),
        write(high - low),
    )


def rows_note(snapshot: Snapshot, place: Place) -> str:
    """Return what skill and grade of the table speak of, and whether the chart's horizon has earned any."""
    seconds = b.bar_seconds(columns_of(snapshot, place.symbol))
    cards = cards_of(snapshot, place.symbol)

    def counted(horizon: int) -> int:
        return max((card.n for (_, h), card in cards.items() if h == horizon), default=0)

    n, far = counted(place.card), counted(place.horizon)
    if not n and not far:
        return "Nothing settled yet: no skill and no grade."
    here, there = horizon_words(place.card, seconds), horizon_words(place.horizon, seconds)
    text = f"Skill and grade at {here}, {fmt.sample(n)}."
    if place.horizon != place.card:
        text += f" At {there} {fmt.sample(far)}."
    return text


def trust_words(snapshot: Snapshot, place: Place) -> str:
    """Return what the differences of five levels are worth."""
    seconds = b.bar_seconds(columns_of(snapshot, place.symbol))
    cards = cards_of(snapshot, place.symbol)
    n = max((card.n for (_, h), card in cards.items() if h == place.horizon), default=0)
    there = horizon_words(place.horizon, seconds)
    if n < fmt.MIN_SAMPLE:
        return f"At {there} {fmt.sample(n)}: no level has earned more trust than another."
    return f"At {there} n = {fmt.count(n)}: the report card below says what each was worth."


# -- figures -----------------------------------------------------------------------------------------------


def figures_view(snapshot: Snapshot, place: Place, what_if: Forecast | None = None) -> Figures:
    """Return the six figures of a forecast, in an order that stays."""
    item = instrument_of(snapshot, place.symbol)
    forecast = what_if or forecast_of(snapshot, place.symbol, str(place.level))
    read = reading(forecast, shown_horizon(place, forecast, is_whole=what_if is not None))
    far = forecast.n_steps if forecast else place.horizon
    seconds = b.bar_seconds(columns_of(snapshot, place.symbol))
    after = horizon_words(read.horizon if read else place.horizon, seconds)
    touch, whole = fmt.percent(TOUCH, 0), horizon_words(far, seconds)
    median = writer(read.spot, item)(read.at(0.5)) if read else fmt.UNKNOWN
    fall = read.share_words(read.spot * (1 - TOUCH)) if read else fmt.UNKNOWN
    up = fmt.share(probability_up(forecast, read.horizon)) if forecast and read else fmt.UNKNOWN
    is_counted = read is None or forecast is None or read.horizon == forecast.n_steps
    how = "share of paths" if is_counted else "share of paths, read off the kept quantiles,"
    below, above, deep = _on_the_way(forecast)
    return (
        (f"P(up) {after}", up, f"{how} that end above the last close"),
        ("Median", median, f"price that half the paths end below after {after}"),
        (f"P({fmt.MINUS}{touch} or worse)", fall, f"share that end at least {touch} lower after {after}"),
        (f"Touch {fmt.MINUS}{touch} in {whole}", below, f"share of paths that touch it on their way, within {whole}"),
        (f"Touch +{touch} in {whole}", above, f"share of paths that touch it on their way, within {whole}"),
        (f"Drawdown 95, {whole}", deep, f"fall from its own high that one path in twenty exceeds, within {whole}"),
    )  # fmt: skip


def _on_the_way(forecast: Forecast | None) -> tuple[str, str, str]:
    if forecast is None:
        return (fmt.UNKNOWN,) * 3
    return (
        fmt.share(forecast.touch_below),
        fmt.share(forecast.touch_above),
        fmt.percent(forecast.drawdown_95, 1),
    )
