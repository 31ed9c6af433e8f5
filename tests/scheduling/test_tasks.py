"""The queue of tasks: order, no loss, no double."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.agents import TaskPriority
from engine.scheduling.lanes import LANE_OF, PLACES
from engine.scheduling.tasks import AGE_S, PATIENCE_S, Task, TaskQueue, takes_argument


async def nothing() -> None:
    return


def task(order: int, due_s: float = 0.0, priority: int = 2, task_type: str = "any") -> Task:
    return Task(
        task_id=str(order), order=order, agent_id="a", task_type=task_type, priority=TaskPriority(priority),
        due_s=due_s, work=nothing,
    )  # fmt: skip


def taken(queue: TaskQueue, lane: str = "shared") -> list[int]:
    orders = []
    while (found := queue.take(lane)) is not None:
        orders.append(found.order)
    return orders


WISHES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.booleans()), max_size=40)


@given(WISHES, st.integers(0, 6))
def test_what_is_due_comes_out_once_by_priority_then_time_then_order(
    wishes: list[tuple[int, int, bool]], now_s: int
) -> None:
    queue = TaskQueue()
    tasks = [task(n, float(due), priority) for n, (due, priority, _) in enumerate(wishes)]
    for one in tasks:
        queue.push(one)
    dropped = [one for one, (_, _, is_dropped) in zip(tasks, wishes, strict=True) if is_dropped]
    assert all(queue.drop(one) for one in dropped)
    assert not any(queue.drop(one) for one in dropped)
    queue.ripen(float(now_s))
    left = [one for one in tasks if one not in dropped]
    due = sorted(
        (one for one in left if one.due_s <= now_s), key=lambda o: (o.priority, o.due_s, o.order)
    )
    assert taken(queue) == [one.order for one in due]
    assert len(queue) == len(left) - len(due)
    queue.ripen(99.0)
    assert sorted(taken(queue)) == sorted(one.order for one in left if one.due_s > now_s)
    assert len(queue) == 0


AGELESS = {priority: 1e9 * priority for priority in TaskPriority}
"""Patience that no wait outweighs: the most urgent goes first, and ageing is off."""
STEPS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 4), st.integers(0, 12), st.integers(0, 3)),
    max_size=40,
)
"""Seconds that pass, priority and delay of one more task, tasks taken then."""


@given(STEPS)
def test_whatever_comes_and_goes_each_task_leaves_once_and_first_come_is_first_served(
    steps: list[tuple[int, int, int, int]],
) -> None:
    queue, now_s, waiting, left = TaskQueue(), 0.0, [], []
    for n, (passed, priority, delay, n_taken) in enumerate(steps):
        now_s += passed
        waiting.append(task(n, now_s + delay, priority))
        queue.push(waiting[-1])
        queue.ripen(now_s)
        for _ in range(n_taken):
            if (found := queue.take("shared")) is None:
                assert all(one.due_s > now_s for one in waiting)
                break
            assert found.due_s <= now_s
            peers = [one for one in waiting if one.priority is found.priority]
            assert found is min(peers, key=lambda one: (one.due_s, one.order))
            waiting.remove(found)
            left.append(found.order)
    queue.ripen(1e6)
    assert sorted(left + taken(queue)) == list(range(len(steps)))
    assert len(queue) == 0


def low_starts_at(
    n_high: list[int], patience_s: Mapping[TaskPriority, float], rival: int = 1
) -> int | None:
    """Return the second in which a LOW task of second 0 starts, or None.

    One task is taken each second; in second k `n_high[k]` tasks of the rival priority come due.
    """
    queue = TaskQueue(patience_s)
    queue.push(task(0, priority=3))
    for second, n in enumerate(n_high):
        for k in range(n):
            queue.push(task(1 + 100 * second + k, float(second), rival))
        queue.ripen(float(second))
        found = queue.take("shared")
        if found is not None and found.order == 0:
            return second
    return None


@given(st.lists(st.integers(0, 3), min_size=60, max_size=60))
def test_a_low_task_waits_for_no_high_one_that_came_ten_seconds_later(n_high: list[int]) -> None:
    begun = low_starts_at(n_high, PATIENCE_S)
    assert begun is not None
    assert begun <= sum(n_high[: int(2 * AGE_S) + 1])


@pytest.mark.parametrize(("rival", "steps_s"), [(2, 5), (1, 10), (0, 70)])
def test_the_wait_behind_a_stream_without_gaps_is_what_the_priorities_say(
    rival: int, steps_s: int
) -> None:
    assert low_starts_at([1] * 100, PATIENCE_S, rival) == steps_s + 1
    assert (
        low_starts_at([1] * 100, AGELESS, rival) is None
    )  # the control: without ageing it starves


def test_critical_work_goes_first_for_a_minute() -> None:
    queue = TaskQueue()
    queue.push(task(1, due_s=0.0, priority=1))
    queue.push(task(2, due_s=60.0, priority=0))
    queue.push(task(3, due_s=60.1, priority=0))
    queue.ripen(99.0)
    assert taken(queue) == [2, 1, 3]


@pytest.mark.parametrize(
    ("priority", "steps"), [(p, int(p) - 1) for p in TaskPriority if p > TaskPriority.HIGH]
)
def test_each_priority_lets_high_work_go_first_for_five_seconds_more(
    priority: TaskPriority, steps: int
) -> None:
    queue = TaskQueue()
    queue.push(task(1, due_s=0.0, priority=priority))
    queue.push(task(2, due_s=AGE_S * steps - 0.1, priority=1))
    queue.push(task(3, due_s=AGE_S * steps + 0.1, priority=1))
    queue.ripen(99.0)
    assert taken(queue) == [2, 1, 3]


@given(WISHES)
def test_by_time_tasks_come_out_by_due_time_and_then_order_whatever_their_priority(
    wishes: list[tuple[int, int, bool]],
) -> None:
    queue = TaskQueue()
    for n, (due, priority, _) in enumerate(wishes):
        queue.push(task(n, float(due), priority))
    found = []
    while (one := queue.take_by_time(99.0)) is not None:
        found.append((one.due_s, one.order))
    assert found == sorted((float(due), n) for n, (due, _, _) in enumerate(wishes))


def test_nothing_is_taken_before_its_time() -> None:
    queue = TaskQueue()
    queue.push(task(1, due_s=5.0))
    queue.ripen(4.9)
    assert (queue.take("shared"), queue.take_by_time(4.9), queue.next_due_s()) == (None, None, 5.0)


def test_what_is_dropped_long_before_its_time_is_not_kept_until_then() -> None:
    queue = TaskQueue()
    queue.push(task(0, due_s=1e9))
    for n in range(1, 10_000):
        queue.push(replaced := task(n, due_s=1e9))
        queue.drop(replaced)
    assert (len(queue), queue.next_due_s()) == (1, 1e9)
    assert len(queue._delayed) < 100


def test_the_lane_follows_from_the_type_and_never_from_the_priority() -> None:
    queue = TaskQueue()
    queue.push(task(1, priority=0))
    queue.push(task(2, priority=4, task_type="stop_loss"))
    queue.ripen(0.0)
    assert (taken(queue, "stop"), taken(queue)) == ([2], [1])


def test_every_lane_but_the_long_one_has_places() -> None:
    assert set(LANE_OF.values()) - {"long"} == set(PLACES)


def test_waiting_tasks_are_counted_by_every_priority() -> None:
    queue = TaskQueue()
    queue.push(task(1, priority=0))
    queue.push(task(2, due_s=9.0, priority=0))
    assert queue.by_priority() == {"CRITICAL": 2, "HIGH": 0, "NORMAL": 0, "LOW": 0, "IDLE": 0}


def test_a_function_without_parameters_takes_no_argument() -> None:
    async def keyword_only(*, pool: object = None) -> None: ...

    async def one(pool: object) -> None: ...

    async def any_number(*args: object) -> None: ...

    assert not takes_argument(nothing)
    assert not takes_argument(keyword_only)
    assert takes_argument(one)
    assert takes_argument(any_number)
