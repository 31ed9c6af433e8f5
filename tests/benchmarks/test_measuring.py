"""The measurements run on a tiny size; how fast they were is never asserted."""

import asyncio
import shutil
import time
from pathlib import Path

import pytest

from benchmarks import dispatching, jitter, publishing, rest, signals, starting
from benchmarks.clients import listen, topics
from benchmarks.counting import CountingProxy
from benchmarks.matching import matched
from benchmarks.servers import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    running = Server(tmp_path_factory.mktemp("bench") / "home")
    assert running.start() > 0.0
    yield running
    assert running.stop() > 0.0
    assert not running.answers()


def test_the_bus_and_its_peers_are_measured() -> None:
    found = publishing.measure(is_quick=True)
    assert len(found) == 3
    assert all(figure.value is not None and figure.value > 0.0 for figure in found)


def test_the_cost_of_a_task_is_measured_beside_its_peer() -> None:
    assert all(cost > 0.0 for cost in asyncio.run(dispatching.costs(20)))


def test_repeating_tasks_run_and_say_how_late_they_were() -> None:
    for pace in asyncio.run(dispatching.paces(10, 0.5)):
        assert pace.late_ms
        assert pace.share > 0.0
        assert pace.cpu_us > 0.0


def test_a_probe_in_the_risk_lane_is_measured_calm_and_beside_bad_agents() -> None:
    for phase in asyncio.run(jitter.phases(0.5)):
        assert phase.late_ms
        assert phase.read_ms


def test_every_symbol_that_closes_gets_its_vote() -> None:
    found = asyncio.run(signals.waits(n_symbols=3, n_bars=2))
    assert len(found.votes) == 6
    assert len(found.batches) == 2
    assert all(0.0 < wait <= max(found.batches) for wait in found.votes)


def test_an_import_is_compared_with_the_bare_interpreter() -> None:
    figure = starting._import_cost(1)
    assert figure.value is not None
    assert figure.unit == "s"


def test_fifty_clients_get_answers(server: Server) -> None:
    took = asyncio.run(rest.ask(server.port, 0.5, pause_s=0.0))
    assert len(took) >= rest.N_CLIENTS
    assert min(took) > 0.0


def test_an_answer_that_is_no_200_is_no_figure(server: Server) -> None:
    with pytest.raises(RuntimeError, match="200"):
        asyncio.run(rest.ask(server.port, 0.2, pause_s=0.0, path="/api/nothing"))


def test_a_tab_hears_frames_of_the_markets_page(server: Server) -> None:
    heard = asyncio.run(listen(server.port, 4.0, wanted=topics("AAPL", 86_400.0)))
    assert heard.frames > 0
    assert len(heard.late_ms) == heard.frames


def test_the_proxy_counts_what_it_passes_on(server: Server) -> None:
    with CountingProxy(server.port) as proxy:
        through = Server(server.home)
        through.port = proxy.port
        assert through.answers()
        assert proxy.n_down > 100
    end = time.monotonic() + 5
    while through.answers() and time.monotonic() < end:
        pass
    assert not through.answers()


def test_a_paint_is_matched_with_the_newest_tick_that_says_it() -> None:
    ticks = [("A", "1.00", 10.0), ("A", "1.00", 10.5), ("A", "2.00", 11.0), ("A", "1.00", 12.0)]
    shown = [("-", "", 9.0)] * 20  # what stood there before the watch began
    run = matched(ticks, [*shown, ("A", "1.00", 10.1), ("A", "1.00", 12.2)], 400.0)
    assert run.late_ms == pytest.approx((100.0, 200.0))
    assert run.bytes_per_tick == 400.0


def test_a_paint_that_no_tick_explains_is_not_counted() -> None:
    shown = [("-", "", 9.0)] * 20
    assert matched([("A", "1.00", 10.0)], [*shown, ("A", "3.00", 11.0)], 0.0).late_ms == ()
    assert matched([("A", "1.00", 12.0)], [*shown, ("A", "1.00", 11.0)], 0.0).late_ms == ()


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_the_markets_page_and_the_peer_paint_ticks() -> None:
    painted = pytest.importorskip("benchmarks.painted")
    if painted.CHROMIUM is None or not shutil.which(str(Path(painted.CHROMIUM))):
        pytest.skip("Chromium must be installed, was not found; apt-get install chromium")
    for run in (painted.ours(4, 4.0), painted.theirs(4, 4.0)):
        assert run.late_ms
        assert run.bytes_per_tick > 0.0
