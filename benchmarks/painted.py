"""From the tick to the painted frame, and the bytes in between: our Markets page beside a page fed by `dcc.Interval`.

A tick's time is when the feed gave it (the event's `computed_at`); painted is one animation frame after the text of its
price changed in headless Chromium. Both clocks are this machine's. A tick overtaken by a
newer one before it was drawn is no paint; how many were painted is told.
"""

import json
import os
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.counting import CountingProxy
from benchmarks.figures import Figure, percentile
from benchmarks.matching import N_SYMBOLS, Row, Run, journalled, matched
from benchmarks.servers import Server, symbols

SETTLE_S = 6.0
PATIENCE_MS = 120_000.0
BUDGET_MS = 150.0
BUDGET_B = 4_000.0
CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
OURS = '.ph-watchlist [row-id="{symbol}"] [col-id="last"]'
THEIRS = "#last-{symbol}"
WATCH = """([symbols, selector]) => {
  const seen = {}; window.painted = [];
  const text = (root) => {
    const node = root && document.createTreeWalker(root, NodeFilter.SHOW_TEXT).nextNode();
    return node ? node.nodeValue : "";
  };
  const look = () => {
    const found = [];
    for (const symbol of symbols) {
      const value = text(document.querySelector(selector.replace("{symbol}", symbol)));
      if (value && value !== seen[symbol]) { seen[symbol] = value; found.push([symbol, value]); }
    }
    if (found.length) requestAnimationFrame(() => {
      const now = Date.now() / 1000;
      for (const [symbol, value] of found) window.painted.push([symbol, value, now]);
    });
  };
  look();
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return both pages' figures at 1 Hz and 4 Hz."""
    if CHROMIUM is None:
        return [
            Figure(
                name="not measured",
                value=None,
                unit="ms",
                note="Chromium was not found; apt-get install chromium",
            )
        ]
    seconds = 8.0 if is_quick else 40.0
    found: list[Figure] = []
    for hertz in (1, 4):
        found += _told(f"{hertz} Hz, Markets page", ours(hertz, seconds), hertz)
        found += _told(f"{hertz} Hz, dcc.Interval with full figures", theirs(hertz, seconds), None)
    return found


def _told(name: str, run: Run, hertz: int | None) -> list[Figure]:
    is_budgeted = hertz == 1
    note = f"{len(run.late_ms)} of {run.n_ticks} ticks painted"
    return [
        Figure(name=f"{name}: tick -> painted, p50", value=percentile(run.late_ms, 50), unit="ms", note=note),
        Figure(
            name=f"{name}: tick -> painted, p95", value=percentile(run.late_ms, 95), unit="ms",
            budget=BUDGET_MS if is_budgeted else None, note=note,
        ),
        Figure(
            name=f"{name}: bytes per tick of 20 symbols", value=run.bytes_per_tick, unit="B",
            budget=BUDGET_B if hertz else None, note="on the wire, bar closes and frame included",
        ),
    ]  # fmt: skip


def ours(hertz: int, seconds: float) -> Run:
    """Return what the program's first page does."""
    command = ("-m", "dashboard", "serve") if hertz == 4 else ("-m", "benchmarks.paced_server")
    settings = {"PILOTHOUSE_FEED": "synthetic", "PILOTHOUSE_SYMBOLS": symbols(N_SYMBOLS)}
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as folder:
        server = Server(Path(folder) / "home", settings, command)
        server.start()
        try:
            painted, n_bytes = watch(server.port, OURS, seconds)
        finally:
            server.stop()
        ticks = journalled(server.home / "journal.db")
    return matched(ticks, painted, n_bytes / seconds / hertz)


def theirs(hertz: int, seconds: float) -> Run:
    """Return what the peer does."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as folder:
        server = Server(
            Path(folder) / "home",
            command=("-m", "benchmarks.interval_page", "--hertz", str(hertz)),
            ready="/ticks",
        )
        server.start()
        try:
            painted, n_bytes = watch(server.port, THEIRS, seconds)
            with urllib.request.urlopen(f"{server.url}/ticks") as answer:
                ticks = [(str(s), str(p), float(at)) for s, p, at in json.load(answer)]
        finally:
            server.stop()
    return matched(ticks, painted, n_bytes / seconds / hertz)


def watch(port: int, selector: str, seconds: float) -> tuple[list[Row], int]:
    """Return every change of a price on the page and the bytes that came meanwhile."""
    with CountingProxy(port) as proxy, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS, headless=True)
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 1600})
            page.set_default_timeout(PATIENCE_MS)
            page.goto(f"http://127.0.0.1:{proxy.port}/")
            return _watched(page, proxy, selector, seconds)
        finally:
            browser.close()


def _watched(
    page: Page, proxy: CountingProxy, selector: str, seconds: float
) -> tuple[list[Row], int]:
    names = symbols(N_SYMBOLS).split(",")
    page.wait_for_selector(selector.replace("{symbol}", names[-1]), state="attached")
    time.sleep(SETTLE_S)
    page.evaluate(WATCH, [names, selector])
    before = proxy.n_down
    time.sleep(seconds)
    n_bytes = proxy.n_down - before
    rows = page.evaluate("window.painted")
    return [(str(symbol), str(value), float(at)) for symbol, value, at in rows], n_bytes
