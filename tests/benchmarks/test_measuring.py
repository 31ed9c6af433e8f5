"""The measurements run on a tiny size; how fast they were is never asserted."""

import asyncio
import math
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import dispatching, fans, jitter, leaking, publishing, rest, signals, starting
from benchmarks.clients import listen, topics
from benchmarks.counting import CountingProxy
from benchmarks.matching import matched
from benchmarks.servers import Server
from engine.domain.forecast import HORIZONS, SimulationLevel


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
        assert phase.http_ms


def test_a_leak_is_named_and_the_same_agent_without_it_is_not() -> None:
    """Twenty checks of a tenth of a second, so that a busy machine still has its ten in a row."""
    leak = asyncio.run(leaking.soak(4.0, bound=None, check_s=0.1))
    assert leak.accused == ("Keeping",)
    assert leak.late_ms
    control = asyncio.run(leaking.soak(4.0, bound=2 * leaking.N_RECORDS, check_s=0.1))
    assert control.accused == ()
    assert control.n_kept == 2 * leaking.N_RECORDS


def test_a_fan_is_measured_beside_the_usual_way_and_torch_where_it_is() -> None:
    job = fans.Job(n_paths=50, n_steps=25, n_assets=2, budget_ms=1.0, rounds=1)
    ours, numpy, torch, forecast = fans.compare(job, 1)
    assert forecast.name == "forecast of level 4, 50 × 25 × 2 correlated"
    assert 0.0 < ours.value < math.inf
    assert 0.0 < numpy.value < math.inf
    assert "faster than numpy" in ours.note
    assert torch.value is not None or torch.note == "torch is not installed"


def test_the_usual_way_and_ours_speak_of_the_same_fan() -> None:
    job = fans.Job(n_paths=20_000, n_steps=5, budget_ms=1.0, rounds=1)
    (told,) = fans.published(job, 1)(job, 1)
    assert told.level is SimulationLevel.LEVEL_1_BASE
    steps = np.arange(1, 6)
    theirs = np.log(fans.usual(job, 1)[:, 0] / fans.SPOT) - fans.DRIFT * steps
    ours = np.log(np.array(told.fan)[:, 1:] / told.spot) - told.drift_per_step * steps
    np.testing.assert_allclose(theirs / fans.SIGMA, ours / told.sigma_per_step, atol=0.15)
    bare = np.log(fans.fan(job, 1)[:, 1:] / fans.SPOT) - fans.DRIFT * steps
    np.testing.assert_allclose(theirs / fans.SIGMA, bare / fans.SIGMA, atol=0.15)


def test_a_forecast_that_is_published_stands_beside_the_fan_of_one_asset_alone():
    one = fans.compare(fans.Job(n_paths=50, n_steps=25, budget_ms=1.0, rounds=1), 1)
    assert [f.name for f in one][3:] == ["forecast of level 1, 50 × 25"]
    assert all(f.value > 0.0 for f in (one[0], one[3]))


def test_correlated_fans_are_those_of_level_4_as_the_engine_publishes_them() -> None:
    job = fans.Job(n_paths=50, n_steps=5, n_assets=3, budget_ms=1.0, rounds=1)
    told = fans.published(job, 1)(job, 0)
    assert [each.symbol for each in told] == ["0", "1", "2"]
    assert {each.level for each in told} == {SimulationLevel.LEVEL_4_MULTI_FACTOR}
    assert all(len(each.quantiles) == len(HORIZONS) for each in told)


def test_fans_of_several_are_those_that_the_engine_publishes() -> None:
    """Fans of symbols that fall together, drawn as far as the published ones are: the same numbers."""
    job = fans.Job(n_paths=50, n_steps=max(HORIZONS), n_assets=3, budget_ms=1.0, rounds=1)
    told, bare = fans.published(job, 1)(job, 0), fans.fans_together(job, 1)(job, 0)
    for forecast, rows in zip(told, bare, strict=True):
        np.testing.assert_allclose(forecast.fan, rows, rtol=1e-6)


def test_five_levels_are_drawn_at_bars_that_go_on() -> None:
    drawn, published = fans.five_levels(2)
    assert drawn.value > 0.0
    assert published.value > 0.0
    assert drawn.budget == fans.FIVE_MS
    assert "best of 2 bars" in drawn.note


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
