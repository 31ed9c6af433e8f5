import threading

import pytest

from engine.domain.errors import InvalidValueError
from engine.strategies.cache import CalculationCache
from engine.strategies.executor import ConcurrentStrategyExecutor, StrategyFailure

BARS = {"close": [1.0, 2.0]}


def hold(data, symbol, price, **known):
    return "HOLD", 0.5, {"price": price}


def broken(data, symbol, price, **known):
    raise RuntimeError("no idea")


def test_results_come_by_name_and_a_failure_keeps_its_reason():
    results = ConcurrentStrategyExecutor().execute(
        [("good", hold, BARS, "X"), ("bad", broken, BARS, "X"), ("odd", print_nothing, BARS, "X")]
    )
    assert list(results) == ["good", "bad", "odd"]
    assert results["good"] == ("HOLD", 0.5, {"price": 2.0})
    assert results["bad"] == StrategyFailure("RuntimeError: no idea")
    assert "signal, strength, indicators" in results["odd"].error


def print_nothing(data, symbol, price, **known):
    return None


def test_four_workers_are_inside_their_algorithms_at_the_same_time():
    together = threading.Barrier(4, timeout=10)

    def meet(data, symbol, price, **known):
        together.wait()
        return "HOLD", 1.0, {}

    jobs = [(f"a{i}", meet, BARS, "X") for i in range(4)]
    results = ConcurrentStrategyExecutor(max_workers=4).execute(jobs)
    assert not any(isinstance(r, StrategyFailure) for r in results.values())


def test_one_worker_cannot_meet_another():
    together = threading.Barrier(2, timeout=0.05)

    def meet(data, symbol, price, **known):
        together.wait()

    jobs = [(f"a{i}", meet, BARS, "X") for i in range(2)]
    results = ConcurrentStrategyExecutor(max_workers=1).execute(jobs)
    assert all("Broken" in r.error for r in results.values())


def test_two_jobs_of_one_name_and_no_workers_are_refused():
    with pytest.raises(InvalidValueError, match="names"):
        ConcurrentStrategyExecutor().execute([("a", hold, BARS, "X")] * 2)
    with pytest.raises(InvalidValueError, match="max_workers"):
        ConcurrentStrategyExecutor(max_workers=0)


class Timer:
    now = 0.0

    def __call__(self):
        return self.now


def test_an_entry_lives_exactly_its_time_from_its_last_write():
    timer = Timer()
    cache = CalculationCache(ttl_seconds=60, timer=timer)
    cache.set("k", None)
    timer.now = 59.9
    assert "k" in cache
    assert cache.get("k", "absent") is None
    cache.set("k", 2)
    timer.now = 119.8
    assert cache.get("k") == 2
    timer.now = 119.9
    assert "k" not in cache
    assert (cache.get("k", "absent"), len(cache)) == ("absent", 0)


def test_the_entry_written_longest_ago_leaves_first():
    cache = CalculationCache(max_size=2, timer=Timer())
    cache.set("a", 1)
    cache.set("b", 1)
    cache.set("a", 2)
    cache.set("c", 1)
    assert ("a" in cache, "b" in cache, "c" in cache, len(cache)) == (True, False, True, 2)


@pytest.mark.parametrize(
    "settings", [{"max_size": 0}, {"ttl_seconds": 0}, {"ttl_seconds": float("nan")}]
)
def test_a_cache_without_room_or_time_is_refused(settings):
    with pytest.raises(InvalidValueError, match=next(iter(settings))):
        CalculationCache(**settings)
