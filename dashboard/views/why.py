"""Why, and why not: one cycle in words and numbers, rounded so that the parts shown add up to the score shown."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.components.why import Step, VoteLine, Why
from dashboard.views import bars as b
from dashboard.views.lateness import bars_behind, behind_words
from dashboard.views.price_chart import columns_of
from engine.domain.sections import CycleSection, Snapshot, StrategiesSection
from engine.domain.signals import CycleRecord, SignalAction, StepOutcome, Vote

_ACRONYMS = {"ma": "MA", "mc": "MC", "rsi": "RSI"}
_OUTCOME_WORDS = {
    StepOutcome.PASSED: "passed",
    StepOutcome.CLAMPED: "cut",
    StepOutcome.SKIPPED: "skipped",
    StepOutcome.REFUSED: "refused",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyView:
    """The card with its remark; `card` is None before the first vote. `is_behind`: bars closed without one since."""

    remark: str
    is_behind: bool = False
    card: Why | None = None
    regime: str = ""


def why_view(snapshot: Snapshot, symbol: str) -> WhyView:
    """Return the newest why-card of a symbol."""
    section: CycleSection | None = snapshot.value(f"cycle:{symbol}")
    if section is None:
        return WhyView(remark=symbol)
    record = section.record
    has_time = b.has_times(columns_of(snapshot, symbol))
    behind = bars_behind(snapshot, record)
    bar = b.moment_words(record.bar_closed_at, has_time=has_time, year=bool(behind))
    remark = f"{symbol} · bar {bar}"
    return WhyView(
        remark=f"{remark}, {behind_words(behind)}" if behind else remark,
        is_behind=bool(behind),
        card=card_of(record, _titles(snapshot)),
        regime=f"Regime {record.regime}",
    )


def card_of(record: CycleRecord, titles: Mapping[str, str]) -> Why:
    """Return what the card shows of one cycle."""
    headline, sentence = split_verdict(record.verdict, record.action)
    return Why(
        action=record.action,
        headline=headline,
        sentence=sentence,
        votes=_lines(record.votes, titles),
        score=record.score,
        threshold=record.threshold,
        steps=tuple(
            Step(
                outcome=step.outcome,
                label=step.rule,
                detail=step.detail,
                result=step.result or _OUTCOME_WORDS[step.outcome],
            )
            for step in record.steps
        ),
    )


def split_verdict(verdict: str, action: SignalAction) -> tuple[str, str]:
    """Return the verdict's first sentence, which is set in bold, and the rest.

    Examples
    --------
    >>> split_verdict("Short kept, no order. The change is below the band.", SignalAction.SELL)
    ('Short kept, no order.', 'The change is below the band.')
    >>> split_verdict("", SignalAction.BUY)
    ('Buy signal.', 'The gate has not answered yet.')
    """
    if not verdict:
        return f"{action.value.capitalize()} signal.", "The gate has not answered yet."
    head, stop, rest = verdict.partition(". ")
    return (f"{head}.", rest) if stop else (verdict, "")


def _titles(snapshot: Snapshot) -> dict[str, str]:
    section: StrategiesSection | None = snapshot.value("strategies")
    return {} if section is None else {row.name: row.title for row in section.rows}


def title_of(name: str, titles: Mapping[str, str]) -> str:
    """Return a strategy's title; without one its name is written out.

    Examples
    --------
    >>> title_of("ma_trend", {}), title_of("own", {"own": "My own"})
    ('MA trend', 'My own')
    """
    if name in titles:
        return titles[name]
    words = [_ACRONYMS.get(word, word) for word in name.split("_")]
    return " ".join(words)[:1].upper() + " ".join(words)[1:]


def _lines(votes: tuple[Vote, ...], titles: Mapping[str, str]) -> tuple[VoteLine, ...]:
    parts = fmt.round_to_sum([vote.part for vote in votes], 3)
    weights = fmt.round_to_sum([vote.weight for vote in votes], 2)
    return tuple(
        VoteLine(
            name=title_of(vote.algorithm, titles),
            vote=fmt.number(vote.vote, signed=True),
            weight=fmt.weight(weight),
            regime=fmt.number(vote.regime_factor, 1),
            part=fmt.score(part),
            part_value=part,
            error=vote.error or "",
        )
        for vote, part, weight in zip(votes, parts, weights, strict=True)
    )
