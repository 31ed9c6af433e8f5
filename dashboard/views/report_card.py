"""The report card: how often outcomes fell inside the bands, where in the forecasts they fell, what that was worth.

A level counts from twenty settled forecasts that don't overlap; below that its n is said and no letter given.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views import bars as b
from dashboard.views.forecast_place import LEVELS, Place
from dashboard.views.forecast_reading import horizon_words
from dashboard.views.intervals import Z_95, expected_counts, wilson
from dashboard.views.price_chart import columns_of
from engine.domain.forecast import HORIZONS, CardSection, LevelCard
from engine.domain.sections import Snapshot

BANDS = (50, 80, 95)
_PLACES = (0, 1, 3)
"""Where the bands stand among the four that are counted (50, 80, 90, 95)."""
LETTERS = "DCBA"
N_TENTHS = 10
LEAST_SKILL = 0.005
"""The axis of skill is never narrower than this to one side."""
BAR_ROOM = 0.72
"""Share of a side that the longest bar takes; its words stand behind it."""
Cards = Mapping[tuple[int, int], LevelCard]
"""Cards by level and horizon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """One level at one band: share, interval and target as places 0 to 1 on the band's own axis."""

    text: str
    at: float
    low_at: float
    high_at: float
    target_at: float
    is_met: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pit:
    """Outcomes by tenth: the strip that each tenth of a calibrated forecast stays in 95 times of 100, and what left it.

    Parameters
    ----------
    heights : tuple of float
        Of each tenth, 0 to 1 of the highest thing drawn; so are `strip` (foot and height), `even_at` and the ticks.
    """

    low: int
    high: int
    out: tuple[bool, ...]
    heights: tuple[float, ...]
    strip: tuple[float, float]
    even_at: float
    ticks: tuple[tuple[str, float], ...]
    words: str

    @property
    def n_out(self) -> int:
        """Tenths outside the strip."""
        return sum(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """CRPS skill against level 1 at one horizon, positive where better; `letter` is of coverage alone."""

    value: float | None
    text: str
    letter: str | None
    n: int
    horizon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillBar:
    """A bar of skill from where it starts to where it ends, places 0 to 1 on the axis of all levels."""

    start: float
    end: float
    is_worse: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelReport:
    """One level's row in every part of the card; level 1 has no bar, it is what the others are measured against."""

    level: int
    is_chosen: bool
    n: int
    covers: tuple[Cover, ...]
    pit: Pit | None
    skill: Skill
    bar: SkillBar | None
    grades: tuple[Skill, ...]
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """The whole card at one horizon.

    Parameters
    ----------
    horizons : tuple of (bars, words, largest n)
    targets : tuple of float
        Where each band's target lies on its axis.
    zero : float
        Where no skill lies on the axis of the bars.
    walked : float or None
        Share of the rehearsal that is done while it runs.
    """

    horizon: str
    horizons: tuple[tuple[int, str, int], ...]
    levels: tuple[LevelReport, ...]
    targets: tuple[float, ...]
    zero: float
    remark: str
    verdict: str
    faults: tuple[str, ...]
    walked: float | None
    walked_words: str

    @property
    def is_known(self) -> bool:
        """Whether anything has been settled."""
        return any(level.n for level in self.levels)


def grade_of(card: LevelCard) -> str | None:
    """Return A when the Wilson intervals of all three bands hold their target, B two, C one, D none.

    None below twenty settled forecasts.
    """
    if card.n < fmt.MIN_SAMPLE:
        return None
    return LETTERS[sum(_is_met(card, k) for k in range(len(BANDS)))]


def _is_met(card: LevelCard, k: int) -> bool:
    low, high = wilson(card.inside[_PLACES[k]], card.n)
    return low <= BANDS[k] / 100 <= high


def skill_of(card: LevelCard) -> float | None:
    """Return how much smaller the CRPS is than level 1's, as a share of it; None where it says nothing."""
    if card.n < 1 or not card.base_crps:
        return None
    return 1 - card.crps / card.base_crps


def cards_of(snapshot: Snapshot, symbol: str) -> Cards:
    """Return the cards of a symbol."""
    section: CardSection | None = snapshot.value(f"card:{symbol}")
    return {(card.level, card.horizon): card for card in (section.cards if section else ())}


def report_view(snapshot: Snapshot, place: Place) -> ReportView:
    """Return the card of a symbol at the place's horizon."""
    section: CardSection | None = snapshot.value(f"card:{place.symbol}")
    cards = cards_of(snapshot, place.symbol)
    seconds = b.bar_seconds(columns_of(snapshot, place.symbol))
    words = {h: horizon_words(h, seconds) for h in HORIZONS}
    levels = tuple(_level(cards, each.value, place, words) for each in LEVELS)
    n = max(level.n for level in levels)
    walked, walked_words = _walk(section)
    horizons = tuple((h, words[h], _most(cards, h)) for h in HORIZONS)
    return ReportView(
        horizon=words[place.card],
        horizons=horizons,
        levels=levels,
        targets=next(
            (tuple(c.target_at for c in x.covers) for x in levels if x.covers), (0.5,) * 3
        ),
        zero=skill_axis(cards, place.card)[0],
        remark=_remark(cards, place, words[place.card], n),
        verdict=_verdict(cards, place, words),
        faults=tuple(f"Level {x.level}: {x.fault}" for x in levels if x.fault),
        walked=walked,
        walked_words=walked_words,
    )


def _most(cards: Cards, horizon: int) -> int:
    return max((card.n for (_, h), card in cards.items() if h == horizon), default=0)


def _walk(section: CardSection | None) -> tuple[float | None, str]:
    if section is None or section.n_walked >= section.n_to_walk:
        return None, ""
    done, whole = section.n_walked, section.n_to_walk
    return done / whole, f"walking back {fmt.count(done)} of {fmt.count(whole)}"


def _remark(cards: Cards, place: Place, horizon: str, n: int) -> str:
    rehearsed = max((c.n_rehearsed for (_, h), c in cards.items() if h == place.card), default=0)
    if not n:
        return f"nothing settled yet at {horizon}"
    text = f"{horizon} ahead, up to n = {fmt.count(n)} settled a level"
    if rehearsed:
        text += f", up to {fmt.count(rehearsed)} of these rehearsed on history"
    return text


def _level(cards: Cards, level: int, place: Place, words: Mapping[int, str]) -> LevelReport:
    card = cards.get((level, place.card))
    return LevelReport(
        level=level,
        is_chosen=level == place.level,
        n=card.n if card else 0,
        covers=_covers(cards, card, place.card) if card and card.n else (),
        pit=_pit(card) if card and card.n else None,
        skill=_skill(card, level, words[place.card]),
        bar=_bar(card, skill_axis(cards, place.card)) if card and level > 1 else None,
        grades=tuple(_skill(cards.get((level, h)), level, words[h]) for h in HORIZONS),
        fault=card.fault if card else "",
    )


# -- coverage ----------------------------------------------------------------------------------------------


def axis_of(cards: Cards, horizon: int, k: int) -> tuple[float, float]:
    """Return the axis of a band: wide enough for every level's interval, at least 15 points to both sides."""
    target = BANDS[k] / 100
    ends = [target - 0.15, min(1.0, target + 0.15)]
    for (_, h), card in cards.items():
        if h == horizon and card.n:
            ends += wilson(card.inside[_PLACES[k]], card.n)
    return min(ends), max(ends)


def _covers(cards: Cards, card: LevelCard, horizon: int) -> tuple[Cover, ...]:
    return tuple(_cover(card, k, axis_of(cards, horizon, k)) for k in range(len(BANDS)))


def _cover(card: LevelCard, k: int, axis: tuple[float, float]) -> Cover:
    start, extent = axis[0], axis[1] - axis[0]
    low, high = wilson(card.inside[_PLACES[k]], card.n)
    share, target = card.inside[_PLACES[k]] / card.n, BANDS[k] / 100
    is_met = low <= target <= high
    said = "holds" if is_met else "misses"
    return Cover(
        text=fmt.percent(share, 0).removesuffix("%"),
        at=(share - start) / extent,
        low_at=(low - start) / extent,
        high_at=(high - start) / extent,
        target_at=(target - start) / extent,
        is_met=is_met,
        words=(
            f"Level {card.level}: {fmt.share(share)} inside the {BANDS[k]}% band, 95% Wilson interval "
            f"{fmt.span(low, high, fmt.share)}, n = {card.n}: {said} its target"
        ),
    )


# -- PIT ---------------------------------------------------------------------------------------------------


def _pit(card: LevelCard) -> Pit | None:
    if len(card.pit_counts) != N_TENTHS:
        return None
    n = sum(card.pit_counts)
    low, high = expected_counts(n, 1 / N_TENTHS)
    out = tuple(not low <= count <= high for count in card.pit_counts)
    top = max(*card.pit_counts, high, 1)
    counts = ", ".join(map(str, card.pit_counts))
    return Pit(
        low=low,
        high=high,
        out=out,
        heights=tuple(count / top for count in card.pit_counts),
        strip=(low / top, (high - low) / top),
        even_at=n / N_TENTHS / top,
        ticks=tuple((fmt.count(value), value / top) for value in (0, low, high)),
        words=(
            f"Level {card.level}, outcomes by tenth of the forecast: {counts}; {sum(out)} of {N_TENTHS} outside the "
            f"strip {low} to {high} that each tenth of a calibrated forecast stays in 95 times of 100"
        ),
    )


# -- skill -------------------------------------------------------------------------------------------------


def _skill(card: LevelCard | None, level: int, horizon: str) -> Skill:
    value = skill_of(card) if card else None
    is_base = level == 1
    text = fmt.UNKNOWN if value is None else fmt.percent(value, 1, signed=True)
    return Skill(
        value=value,
        text="0" if is_base and value is not None else text,
        letter=grade_of(card) if card else None,
        n=card.n if card else 0,
        horizon=horizon,
    )


def skill_axis(cards: Cards, horizon: int) -> tuple[float, float]:
    """Return where zero lies on the axis of all levels' skill, and the largest skill to either side."""
    found = [skill_of(card) for (_, h), card in cards.items() if h == horizon]
    values = [value for value in found if value is not None]
    low, high = min(values, default=0.0), max(values, default=0.0)
    zero = 0.5 if low < 0 < high else 0.8 if low < 0 else 0.25
    return zero, max(-low, high, LEAST_SKILL)


def _bar(card: LevelCard, axis: tuple[float, float]) -> SkillBar | None:
    value = skill_of(card)
    if value is None:
        return None
    zero, extent = axis
    is_worse = value < 0
    length = abs(value) / extent * (zero if is_worse else 1 - zero) * BAR_ROOM
    start, end = (zero - length, zero) if is_worse else (zero, zero + length)
    return SkillBar(start=start, end=end, is_worse=is_worse)


def _best(cards: Cards, horizon: int) -> LevelCard | None:
    able = [
        card
        for (level, h), card in cards.items()
        if h == horizon and level > 1 and card.n >= fmt.MIN_SAMPLE and skill_of(card) is not None
    ]
    return max(able, key=lambda card: skill_of(card) or 0.0, default=None)


def _verdict(cards: Cards, place: Place, words: Mapping[int, str]) -> str:
    here = _said(_best(cards, place.card), words[place.card])
    if not here:
        n = _most(cards, place.card)
        here = f"At {words[place.card]} {fmt.sample(n)}." if n < fmt.MIN_SAMPLE else ""
    others = [card for h in HORIZONS if h != place.card and (card := _best(cards, h)) is not None]
    other = max(others, key=lambda card: skill_of(card) or 0.0, default=None)
    there = (
        "" if other is None or (skill_of(other) or 0) <= 0 else _said(other, words[other.horizon])
    )
    return f"{here} {there}".strip()


def _said(card: LevelCard | None, horizon: str) -> str:
    if card is None:
        return ""
    skill = skill_of(card) or 0.0
    if fmt.tone(skill, 3) != "up":
        return f"No level beats level 1 at {horizon}."
    gain, t = fmt.percent(skill, 1, signed=True), card.dm_t
    if t is not None and t <= -Z_95:
        return f"At {horizon} level {card.level} beats level 1: {gain}, t {fmt.number(t, 1)}."
    within = "" if t is None else f", within chance (t {fmt.number(t, 1)})"
    return f"At {horizon} level {card.level} leads: {gain}{within}."
