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
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.counting import CountingProxy
from benchmarks.figures import Figure, percentile
from benchmarks.servers import Server, symbols
from dashboard import formatting as fmt
from engine.adapters.journals.opening import open_journal
from engine.domain.events import EventType

N_SYMBOLS = 20
SETTLE_S = 6.0
PATIENCE_MS = 120_000.0
BUDGET_MS = 150.0
BUDGET_B = 4_000.0
SKEW_S = 0.002
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
Row = tuple[str, str, float]
"""Symbol, price as text, epoch seconds."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one page did: milliseconds from tick to paint, bytes per tick of all symbols, ticks and paints."""

    late_ms: tuple[float, ...]
    bytes_per_tick: float
    n_ticks: int


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


def journalled(path: Path) -> list[Row]:
    """Return the ticks that a stopped server journalled."""
    journal = open_journal(path, make_backup=False)
    try:
        found = [e for e in journal.events() if e.event_type is EventType.MARKET_DATA]
    finally:
        journal.close()
    return [(e.data["symbol"], fmt.price(e.data["price"]), _seconds(e.computed_at)) for e in found]


def _seconds(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.timestamp()


def matched(ticks: Iterable[Row], painted: Sequence[Row], bytes_per_tick: float) -> Run:
    """Return how late each painted text was: after the newest tick of its symbol that says it, each tick once."""
    told: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for symbol, text, at in ticks:
        if not told[symbol] or told[symbol][-1][0] != text:  # the same price again changes no text
            told[symbol].append((text, at))
    begin, end = (painted[0][2], painted[-1][2]) if painted else (0.0, 0.0)
    n_ticks = sum(begin <= at <= end for rows in told.values() for _, at in rows)
    late, used = [], defaultdict[str, int](int)
    for symbol, text, at in painted[N_SYMBOLS:]:  # the first of each was there before we looked
        rows = told[symbol]
        found = [
            i
            for i in range(used[symbol], len(rows))
            if rows[i][0] == text and rows[i][1] <= at + SKEW_S
        ]
        if found:
            used[symbol] = found[-1] + 1
            late.append(max(0.0, at - rows[found[-1]][1]) * 1e3)
    return Run(tuple(late), bytes_per_tick, n_ticks)
