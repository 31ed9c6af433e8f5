"""Two starts on one home: exactly one runs the engine, the other reads, sends and takes over."""

import signal
from collections.abc import Callable
from pathlib import Path

from tests.program import Server, wait_until


def test_a_second_start_stands_by_shows_the_owner_sends_and_takes_over(
    home: Path, servers: Callable[..., Server]
):
    owner, standby = servers(home).start(), servers(home).start()
    first = owner.status()["engine"]
    wait_until(lambda: standby.status()["engine"], "the standby's view of the engine")
    seen = standby.status()
    assert seen["engine"]["owner"] == first["owner"]
    assert seen["engine"]["epoch"] == first["epoch"]
    wait_until(lambda: standby.bars() >= owner.bars() - 1 > 0, "the standby's view of market time")

    assert owner.process is not None
    assert standby.process is not None
    bars = owner.bars()
    owner.stop(signal.SIGKILL)
    wait_until(
        lambda: standby.status()["engine"]["pid"] == standby.process.pid, "takeover", timeout_s=3
    )
    taken = standby.status()["engine"]
    assert taken["epoch"] > first["epoch"]
    assert taken["state"] == "running"
    wait_until(lambda: standby.bars() > bars, "market time goes on under the new owner")
    assert len(standby.books.data("RUN_STARTED")) == 2


def test_when_the_standby_ends_the_owner_goes_on(home: Path, servers: Callable[..., Server]):
    owner, standby = servers(home).start(), servers(home)
    before = owner.status()["engine"]
    for how, code in ((signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)):
        assert standby.start().stop(how) == code
        owner.wait_for_bars(2)
        assert owner.status()["engine"] == before
    assert owner.books.n("RUN_STARTED") == 1
