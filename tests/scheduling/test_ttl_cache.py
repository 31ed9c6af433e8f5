"""The pool's cache: each entry's own time to live, a bounded size, an honest hit rate."""

from engine.adapters.clocks.manual import ManualClock
from engine.scheduling.ttl_cache import TtlCache


def new_cache(max_entries: int = 3) -> tuple[TtlCache, ManualClock]:
    clock = ManualClock()
    return TtlCache(clock, max_entries), clock


def test_an_entry_lives_as_long_as_it_was_given_and_no_longer() -> None:
    cache, clock = new_cache()
    cache.put("short", 1, ttl_s=5)
    cache.put("long", 2, ttl_s=60)
    clock.advance(4.9)
    assert (cache.get("short"), cache.get("long")) == (1, 2)
    clock.advance(0.1)
    assert (cache.get("short"), cache.get("long")) == (None, 2)
    assert (cache.size, cache.hit_rate) == (1, 0.75)


def test_a_value_put_again_lives_anew() -> None:
    cache, clock = new_cache()
    cache.put("key", 1, ttl_s=5)
    clock.advance(4)
    cache.put("key", 2, ttl_s=5)
    clock.advance(4)
    assert (cache.get("key"), cache.size) == (2, 1)


def test_the_longest_unused_leaves_first_when_it_is_full() -> None:
    cache, _ = new_cache(max_entries=3)
    for key in "abc":
        cache.put(key, key, ttl_s=60)
    cache.get("a")
    cache.put("d", "d", ttl_s=60)
    assert [cache.get(key) for key in "abcd"] == ["a", None, "c", "d"]


def test_what_is_too_old_leaves_before_what_still_lives() -> None:
    cache, clock = new_cache(max_entries=3)
    cache.put("lives", 1, ttl_s=60)
    cache.put("dies", 2, ttl_s=5)
    cache.put("lives too", 3, ttl_s=60)
    clock.advance(5)
    cache.put("new", 4, ttl_s=60)
    assert [cache.get(key) for key in ("lives", "lives too", "new")] == [1, 3, 4]


def test_a_time_to_live_of_nothing_forgets_the_key() -> None:
    cache, _ = new_cache()
    cache.put("key", 1, ttl_s=60)
    cache.put("key", 2, ttl_s=0)
    cache.put("never", 3, ttl_s=-1)
    assert (cache.get("key"), cache.get("never"), cache.size) == (None, None, 0)


def test_writing_one_key_for_ever_does_not_grow_the_memory() -> None:
    cache, clock = new_cache()
    for n in range(10_000):
        cache.put("key", n, ttl_s=60)
        clock.advance(0.001)
    assert (cache.get("key"), cache.size) == (9_999, 1)


def test_the_hit_rate_of_an_unused_cache_is_nought() -> None:
    assert new_cache()[0].hit_rate == 0.0
