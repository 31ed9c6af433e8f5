"""From a slider's move to the repainted fan: the what-if of the Forecast page beside a `dcc.Slider` with whole figures.

Time runs from the move, inside headless Chromium, to one animation frame after the paths of the fan have become others.
Each move comes when the one before has been drawn whole.
The market runs meanwhile, as it does by default; the peer has none behind it.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.figures import Figure, percentile
from benchmarks.painted import CHROMIUM, FLAGS, PATIENCE_MS
from benchmarks.servers import Server
from engine.domain.forecast import SimulationLevel

BUDGET_MS = 100.0
SETTLE_S = 8.0
OURS = "#forecast-shock"
CHART = ".js-plotly-plot"
MOVE = """([selector, chart, theirs, value]) => new Promise((done, failed) => {
  const lines = () => document.querySelectorAll(`${chart} .scatterlayer path`);
  const painted = () => [...lines()].map((path) => path.getAttribute("d")).join();
  const before = painted();
  const began = performance.now();
  const seen = new MutationObserver(() => {
    const now = painted();
    if (!now || now === before) return;
    seen.disconnect();
    requestAnimationFrame(() => done(performance.now() - began));
  });
  seen.observe(document.body, { attributes: true, attributeFilter: ["d"], childList: true, subtree: true });
  setTimeout(() => failed(new Error("a move must be answered within 30 s, was not")), 30_000);
  if (theirs) return window.dash_clientside.set_props(theirs, { value });
  const input = document.querySelector(selector);
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, String(value));
  input.dispatchEvent(new Event("input", { bubbles: true }));
})"""
"""What is drawn is compared with what was, so that a redrawing of the same is no answer."""
REST_S = 0.6
"""Between two moves: by then the chart has been drawn whole, axes included."""


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return the time of a move at every level, and the peer's."""
    if CHROMIUM is None:
        note = "Chromium was not found; apt-get install chromium"
        return [Figure(name="not measured", value=None, unit="ms", note=note)]
    n = 10 if is_quick else 40
    found: list[Figure] = []
    for level, took in zip(SimulationLevel, ours(n), strict=True):
        found += _told(f"level {level.value}, Forecast page", took, BUDGET_MS)
    return [*found, *_told("dcc.Slider with whole figures", theirs(n), None)]


def _told(name: str, took: Sequence[float], budget: float | None) -> list[Figure]:
    note = f"{len(took)} moves"
    return [
        Figure(name=f"{name}: move -> painted, p50", value=percentile(took, 50), unit="ms", note=note),
        Figure(name=f"{name}: move -> painted, p95", value=percentile(took, 95), unit="ms", budget=budget, note=note),
    ]  # fmt: skip


def ours(n: int) -> list[list[float]]:
    """Return milliseconds of `n` moves at each level."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as folder:
        server = Server(Path(folder) / "home")
        server.start()
        try:
            return [
                _moves(f"{server.url}/forecast?symbol=AAPL&level={level.value}", n)
                for level in SimulationLevel
            ]
        finally:
            server.stop()


def theirs(n: int) -> list[float]:
    """Return milliseconds of `n` moves of the peer."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as folder:
        server = Server(Path(folder) / "home", command=("-m", "benchmarks.slider_page"))
        server.start()
        try:
            return _moves(server.url, n, theirs="shock")
        finally:
            server.stop()


def _moves(url: str, n: int, theirs: str = "") -> list[float]:
    """Return milliseconds of `n` moves on a page that has been open for a while."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS, headless=True)
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(PATIENCE_MS)
            page.goto(url)
            page.wait_for_selector(f"{CHART} .main-svg", state="attached")
            time.sleep(SETTLE_S)
            return [_move(page, theirs, k) for k in range(n)]
        finally:
            browser.close()


def _move(page: Page, theirs: str, k: int) -> float:
    value = -(k % 7 + 4)  # none twice in a row; the peer's axes hide what is smaller
    took = float(page.evaluate(MOVE, [OURS, CHART, theirs, value]))
    time.sleep(REST_S)
    return took
