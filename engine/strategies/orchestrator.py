"""Many algorithms, one decision: weigh their votes, add them up, act beyond a dead zone.

``part = vote x weight share x regime factor`` and the score is the sum of the parts, nothing else. An algorithm that
fails is left out and named; the others share the weight.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NamedTuple

from engine.domain.errors import UnknownNameError, must
from engine.domain.signals import SignalAction, Vote
from engine.strategies.algorithms import Algorithm, Answer, is_number, last_price, read_answer
from engine.strategies.regimes import REGIME_FACTORS, RegimeFactors, factor_of

THRESHOLD = 0.15
"""Half the width of the dead zone: in an unknown regime no strategy of 15 % weight decides alone."""

MAX_WEIGHT = 1_000_000.0
"""Only the ratio of weights matters; the bound keeps their sum far from overflow."""


class Ballot(NamedTuple):
    """How one symbol was voted on.

    Parameters
    ----------
    votes : tuple of Vote
        In order of registration, failed ones with their error.
    score : float
        ``math.fsum`` of the votes' parts: exactly rounded, so independent of their order.
    confidence : float
        0 to 1: the parts of those who agree with the action, without regard to dissent.
    """

    votes: tuple[Vote, ...]
    score: float
    action: SignalAction
    confidence: float


class Outcomes(NamedTuple):
    """How many of `n` votes were followed by a move their way."""

    wins: int
    n: int

    @property
    def win_rate(self) -> float | None:
        """Wins per vote, None while there are none."""
        return self.wins / self.n if self.n else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleSummary:
    """One remembered decision."""

    symbol: str
    regime: str | None
    action: SignalAction
    score: float
    confidence: float


@dataclass(slots=True)
class _Member:
    func: Algorithm
    weight: float
    is_enabled: bool = True
    wins: int = 0
    n: int = 0


class MultiAlgorithmOrchestrator:
    """Holds the algorithms with their weights and lets them vote.

    Parameters
    ----------
    max_history : int
        Decisions remembered.
    threshold : float
        A score must lie beyond plus or minus this to act.
    regime_factors : mapping, optional
        Algorithm name to regime to factor; by default the documented priors.
    """

    def __init__(
        self,
        max_history: int = 1000,
        threshold: float = THRESHOLD,
        regime_factors: RegimeFactors = REGIME_FACTORS,
    ) -> None:
        if max_history < 1:
            raise must("max_history", "be at least 1", max_history, "remember one decision")
        if not 0.0 <= threshold < 1.0:
            raise must("threshold", "lie between 0 and 1", threshold, "give half the dead zone")
        self.threshold = threshold
        self.execution_count = 0
        self._regime_factors = regime_factors
        self._members: dict[str, _Member] = {}
        self._history: deque[CycleSummary] = deque(maxlen=max_history)
        self._seconds = 0.0

    def register_algorithm(self, name: str, func: Algorithm, weight: float = 1.0) -> None:
        """Add an algorithm; a known name gets the new function and weight and keeps its record and its place."""
        if not callable(func):
            raise must("func", "be callable", func, "pass the algorithm itself")
        checked = checked_weight(f"weight of {name!r}", weight)
        known = self._members.get(name)
        if known is None:
            self._members[name] = _Member(func, checked)
        else:
            known.func, known.weight = func, checked

    def set_weight(self, name: str, weight: float) -> None:
        """Give an algorithm another weight, in force with the next vote.

        Raises
        ------
        UnknownNameError
            No algorithm has this name.
        InvalidValueError
            The weight is no number from 0 to 1,000,000.
        """
        self._member(name).weight = checked_weight(f"weight of {name!r}", weight)

    def set_enabled(self, name: str, is_enabled: bool) -> None:
        """Let an algorithm vote or not; its weight is kept."""
        self._member(name).is_enabled = bool(is_enabled)

    @property
    def weights(self) -> dict[str, float]:
        """Weights as they were given, in order of registration."""
        return {name: m.weight for name, m in self._members.items()}

    @property
    def enabled(self) -> dict[str, bool]:
        """Who may vote, in order of registration."""
        return {name: m.is_enabled for name, m in self._members.items()}

    @property
    def history(self) -> tuple[CycleSummary, ...]:
        """The last `max_history` decisions, oldest first."""
        return tuple(self._history)

    @property
    def avg_execution_time(self) -> float:
        """Mean seconds per cycle, 0 before the first."""
        return self._seconds / self.execution_count if self.execution_count else 0.0

    def record_outcome(self, name: str, won: bool) -> None:
        """Count one vote of an algorithm as won or lost, once the market has decided."""
        member = self._member(name)
        member.n += 1
        member.wins += bool(won)

    def outcomes(self, name: str | None = None) -> Outcomes:
        """Return the record of one algorithm, or of all together."""
        members = self._members.values() if name is None else (self._member(name),)
        return Outcomes(sum(m.wins for m in members), sum(m.n for m in members))

    @property
    def wins(self) -> int:
        """Votes of all algorithms that won."""
        return self.outcomes().wins

    @property
    def n(self) -> int:
        """Votes of all algorithms with a known outcome."""
        return self.outcomes().n

    @property
    def win_rate(self) -> float:
        """Wins per vote, 0 while there are none; `outcomes()` tells the two apart."""
        return self.outcomes().win_rate or 0.0

    def vote(
        self,
        market_data: object,
        symbol: str,
        price: float,
        regime: str | None = None,
        **known: Any,  # noqa: ANN401 -- handed through to the algorithms
    ) -> Ballot:
        """Let every enabled algorithm vote on one symbol, and remember the decision.

        Parameters
        ----------
        market_data : frame or mapping of columns
            Closed bars of `symbol`.
        known
            What else the algorithms may use: see `engine.strategies.algorithms.KEYWORDS`.
        """
        begin = perf_counter()
        ballot = self._ballot(market_data, symbol, price, regime, known)
        self._remember(symbol, regime, ballot)
        self._count(begin)
        return ballot

    def execute_cycle(
        self,
        market_data: object,
        symbols: Sequence[str],
        current_prices: Mapping[str, float] | None = None,
        market_regime: str | None = None,
    ) -> tuple[SignalAction, float, dict[str, Any]]:
        """Vote on every symbol and return (signal, confidence, metrics) of the one with the strongest score.

        Parameters
        ----------
        market_data : frame, or mapping of symbol to frame
        current_prices : mapping, optional
            By default the last close.

        Notes
        -----
        `metrics` names that symbol, its votes and errors, and every symbol's result under "by_symbol".
        """
        begin = perf_counter()
        if not symbols or isinstance(symbols, str):
            raise must("symbols", "be a list of at least one name", symbols, "name a symbol")
        ballots: dict[str, Ballot] = {}
        for symbol in symbols:
            data = _data_of(market_data, symbol)
            given = (current_prices or {}).get(symbol)
            price = last_price(data) if given is None else float(given)
            ballots[symbol] = self._ballot(data, symbol, price, market_regime, {})
            self._remember(symbol, market_regime, ballots[symbol])
        seconds = self._count(begin)
        strongest = max(ballots, key=lambda symbol: abs(ballots[symbol].score))
        ballot = ballots[strongest]
        metrics = {
            **_metrics_of(ballot),
            "symbol": strongest,
            "regime": market_regime,
            "threshold": self.threshold,
            "execution_time_s": seconds,
            "by_symbol": {symbol: _metrics_of(b) for symbol, b in ballots.items()},
        }
        return ballot.action, ballot.confidence, metrics

    def _ballot(
        self, data: object, symbol: str, price: float, regime: str | None, known: Mapping[str, Any]
    ) -> Ballot:
        asked = {name: m for name, m in self._members.items() if m.is_enabled}
        keywords = {"market_regime": regime, **known}
        answers = {name: _ask(m.func, data, symbol, price, keywords) for name, m in asked.items()}
        total = math.fsum(
            m.weight for name, m in asked.items() if isinstance(answers[name], Answer)
        )
        votes, strengths = [], []
        for name, member in asked.items():
            answer = answers[name]
            if isinstance(answer, str):
                votes.append(Vote(algorithm=name, error=answer))
                continue
            share = member.weight / total if total > 0.0 else 0.0
            factor = factor_of(self._regime_factors, name, regime)
            vote = _vote(name, answer, share, factor)
            votes.append(vote)
            is_neutral = answer.action is SignalAction.HOLD
            strengths.append(
                (answer.action, share * answer.strength if is_neutral else abs(vote.part))
            )
        score = math.fsum(vote.part for vote in votes)
        action = self._action_of(score)
        agreeing = math.fsum(strength for said, strength in strengths if said is action)
        return Ballot(tuple(votes), score, action, min(1.0, agreeing))

    def _action_of(self, score: float) -> SignalAction:
        if abs(score) <= self.threshold:
            return SignalAction.HOLD
        return SignalAction.BUY if score > 0.0 else SignalAction.SELL

    def _remember(self, symbol: str, regime: str | None, ballot: Ballot) -> None:
        self._history.append(
            CycleSummary(
                symbol=symbol,
                regime=regime,
                action=ballot.action,
                score=ballot.score,
                confidence=ballot.confidence,
            )
        )

    def _count(self, begin: float) -> float:
        seconds = perf_counter() - begin
        self.execution_count += 1
        self._seconds += seconds
        return seconds

    def _member(self, name: str) -> _Member:
        member = self._members.get(name)
        if member is None:
            raise UnknownNameError(
                f"algorithm must be one of {', '.join(self._members) or '(none registered)'}, was {name!r}; "
                "register it or correct the name"
            )
        return member


def _ask(
    func: Algorithm, data: object, symbol: str, price: float, keywords: Mapping[str, Any]
) -> Answer | str:
    """Return the algorithm's checked answer, or what went wrong, in words."""
    try:
        return read_answer(func(data, symbol, price, **keywords))
    except Exception as error:  # noqa: BLE001 -- the fence: one bad algorithm must not stop the others
        return f"{type(error).__name__}: {error}"


def _vote(name: str, answer: Answer, share: float, factor: float) -> Vote:
    vote = answer.action.direction * answer.strength
    return Vote(
        algorithm=name,
        vote=vote,
        weight=share,
        regime_factor=factor,
        part=vote * share * factor,
        reason=answer.reason,
        indicators=answer.indicators,
    )


def _metrics_of(ballot: Ballot) -> dict[str, Any]:
    return {
        "action": str(ballot.action),
        "confidence": ballot.confidence,
        "score": ballot.score,
        "votes": {v.algorithm: v.to_data() for v in ballot.votes},
        "errors": {v.algorithm: v.error for v in ballot.votes if v.error is not None},
    }


def _data_of(market_data: object, symbol: str) -> object:
    """Return the symbol's own frame where `market_data` is a mapping of frames, else `market_data` itself."""
    if isinstance(market_data, Mapping) and symbol in market_data:
        own: object = market_data[symbol]
        return own
    return market_data


def checked_weight(name: str, weight: object) -> float:
    """Return a weight as float.

    Raises
    ------
    InvalidValueError
        It is no number, negative, not finite or absurdly large.
    """
    if not is_number(weight) or not 0.0 <= weight <= MAX_WEIGHT:
        raise must(name, f"be a number from 0 to {MAX_WEIGHT:,.0f}", weight, "correct the weight")
    return float(weight)
