"""Several algorithms at once, each in its own thread, none able to lose another's result."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from engine.domain.errors import must
from engine.domain.signals import SignalAction
from engine.strategies.algorithms import Algorithm, last_price, read_answer

Job = tuple[str, Algorithm, object, str]
"""(name, function, data, symbol)."""

Result = tuple[SignalAction, float, dict[str, float]]
"""(signal, strength, indicators)."""


@dataclass(frozen=True, slots=True)
class StrategyFailure:
    """What stands in place of a result that did not come."""

    error: str


class ConcurrentStrategyExecutor:
    """Runs algorithms in parallel; worth it where they wait or release the interpreter's lock.

    Parameters
    ----------
    max_workers : int
        Threads at most; they live for one `execute`, so there is nothing to close.
    """

    def __init__(self, max_workers: int = 4) -> None:
        if max_workers < 1:
            raise must("max_workers", "be at least 1", max_workers, "allow one thread")
        self.max_workers = max_workers

    def execute(self, strategies: Sequence[Job]) -> dict[str, Result | StrategyFailure]:
        """Return every algorithm's answer by name, in the order given; a failed one gives a `StrategyFailure`.

        Raises
        ------
        InvalidValueError
            Two jobs have one name.
        """
        names = [job[0] for job in strategies]
        if len(set(names)) < len(names):
            raise must("names", "be different", names, "rename one")
        if not strategies:
            return {}
        with ThreadPoolExecutor(min(self.max_workers, len(strategies))) as pool:
            return dict(zip(names, pool.map(_run, strategies), strict=True))


def _run(job: Job) -> Result | StrategyFailure:
    _, func, data, symbol = job
    try:
        answer = read_answer(func(data, symbol, last_price(data)))
    except Exception as error:  # noqa: BLE001 -- the fence: a failure is a result here
        return StrategyFailure(f"{type(error).__name__}: {error}")
    return answer.action, answer.strength, answer.indicators
