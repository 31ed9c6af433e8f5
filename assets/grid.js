/* Cells of the watchlist and its news: ticks are merged into the rows, so only what changed is drawn again. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const PHONE = window.matchMedia("(max-width: 767.98px)");
  const RISK_NAMES = ["", "low", "medium", "high", "critical"];
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

  function h(...parts) {
    return window.React.createElement(...parts);
  }

  // ---- cells ------------------------------------------------------------------------------------------

  function tone(data) {
    const sign = (data.d || "").charAt(0);
    return sign === "▲" ? "up" : sign === "▼" ? "dn" : "";
  }

  function risk(data) {
    const bars = [1, 2, 3, 4].map((i) => h("span", { key: i, className: i <= data.risk ? "ph-on" : undefined }));
    const label = data.risk ? "risk " + RISK_NAMES[data.risk] : "risk unknown";
    return h("span", { className: "ph-bars ph-bars-" + data.risk, role: "img", "aria-label": label }, bars);
  }

  cells.PhSymbol = function ({ data }) {
    return h("div", { className: "ph-cell-two" },
      h("span", { className: "ph-cell-head" },
        h("strong", null, data.symbol),
        data.adj ? h("span", { className: "ph-tx3 ph-t11", "data-tip": "Adjusted closes only" }, " adj") : null,
        h("span", { className: "ph-only-phone" }, risk(data))),
      h("span", { className: "ph-cell-foot ph-cut" }, data.name));
  };

  function points(values) {
    const low = Math.min(...values);
    const extent = Math.max(...values) - low || 1;
    const step = 50 / (values.length - 1);
    return values.map((value, i) => [2 + i * step, 18 - (16 * (value - low)) / extent].map((c) => c.toFixed(1)));
  }

  cells.PhSpark = function ({ data }) {
    const values = (data.spark || []).concat(data.p === undefined ? [] : [data.p]);
    if (values.length < 2) return h("span", { className: "ph-tx3" }, "–");
    const drawn = points(values);
    const [x, y] = drawn[drawn.length - 1];
    return h("svg", { className: "ph-cell-spark", viewBox: "0 0 56 20", width: 56, height: 20, role: "img",
                      "aria-label": "last " + values.length + " closes" },
      h("polyline", { points: drawn.map((point) => point.join(",")).join(" ") }),
      h("circle", { cx: x, cy: y, r: 2, className: "ph-end-" + (tone(data) || "none") }));
  };

  cells.PhLast = function ({ data }) {
    const side = tone(data);
    return h("div", { className: "ph-cell-two ph-num" },
      h("span", { className: "ph-cell-price ph-aged" }, data.l || "–"),
      h("span", { className: "ph-t12 ph-aged " + (side ? "ph-" + side : "ph-tx2") }, data.d || "–"));
  };

  cells.PhSignal = function ({ data }) {
    if (!data.signal) return h("span", { className: "ph-tx3", "data-tip": data.signal_tip }, "–");
    const side = { BUY: ["up", "▲"], SELL: ["dn", "▼"] }[data.signal] || ["grey", ""];
    return h("span", { className: "ph-pill ph-side ph-pill-" + side[0], "data-tip": data.signal_tip },
      side[1] ? h("span", { className: "ph-tri", "aria-hidden": "true" }, side[1]) : null, data.signal);
  };

  cells.PhRisk = function ({ data }) {
    return h("span", { className: "ph-risk", "data-tip": data.risk_tip }, risk(data));
  };

  /* The live script counts the age; the row is the scope that turns grey with it. */
  cells.PhAge = function ({ data }) {
    if (data.a === undefined) return h("span", { className: "ph-age", "data-age": "unknown" }, "never");
    const scope = (element) => {
      const row = element && element.closest(".ag-row");
      if (row) row.setAttribute("data-age-scope", "");
    };
    return h("span", { className: "ph-age", ref: scope, "data-received": String(data.a), "data-budget": String(data.b) });
  };

  /* A row shows the focus of its cell where the keyboard gave it; a :has() in the style would cost with every tick. */
  function markFocus({ type, target }) {
    const row = target.closest && target.closest(".ph-watchlist .ag-row");
    if (row) row.toggleAttribute("data-ph-focus", type === "focusin" && target.matches(":focus-visible"));
  }
  document.addEventListener("focusin", markFocus);
  document.addEventListener("focusout", markFocus);

  // ---- news -------------------------------------------------------------------------------------------

  function apiOf(id) {
    try {
      return window.dash_ag_grid && window.dash_ag_grid.getApi(id);
    } catch (error) {
      return null; // not mounted yet
    }
  }

  /* Rows are changed in place: a transaction would have the grid tell Dash of its rows and its selection with every
     tick, and Dash would ask the server for the chosen symbol's chart again. */
  function merge(api, rows) {
    const changed = [];
    for (const row of rows) {
      const node = api.getRowNode(row.symbol);
      if (!node) continue;
      const isNew = Object.keys(row).some((key) => JSON.stringify(row[key]) !== JSON.stringify(node.data[key]));
      if (!isNew) continue;
      node.updateData(Object.assign({}, node.data, row));
      changed.push(node);
    }
    if (changed.length && api.getColumnState().some((column) => column.sort)) api.refreshClientSideRowModel("sort");
    return changed;
  }

  function countOf(api) {
    let count = 0;
    api.forEachNode(() => (count += 1)); // whatever the filter hides
    return count;
  }

  function takeTicks(api, text) {
    merge(api, JSON.parse(text).map(([symbol, p, c, l, d, a]) => ({ symbol, p, c, l, d, a })));
  }

  function takeRows(api, text) {
    const rows = JSON.parse(text).map(([symbol, signal, signal_tip, level, risk_tip, spark]) =>
      ({ symbol, signal, signal_tip, risk: level, risk_tip, spark }));
    if (rows.length && !countOf(api)) {
      ph.go(window.location.pathname + window.location.search); // the page was drawn before the feed had started
      return;
    }
    const rowNodes = merge(api, rows);
    if (rowNodes.length) api.refreshCells({ rowNodes, columns: ["spark", "signal", "risk", "symbol"], force: true });
  }

  function news() {
    document.querySelectorAll("[data-grid-feed]").forEach((feed) => {
      const api = apiOf(feed.dataset.gridFeed);
      if (!api || (api.isDestroyed && api.isDestroyed())) return;
      fit(api, feed);
      if (feed.dataset.rows && feed.phRows !== feed.dataset.rows) takeRows(api, (feed.phRows = feed.dataset.rows));
      if (feed.dataset.ticks && feed.phTicks !== feed.dataset.ticks) takeTicks(api, (feed.phTicks = feed.dataset.ticks));
    });
  }

  /* On a phone rows are cards 52 high without risk and age columns: the bars stand beside the symbol. */
  function fit(api, feed) {
    const isPhone = PHONE.matches;
    if (feed.phPhone === isPhone) return;
    feed.phPhone = isPhone;
    api.setGridOption("rowHeight", isPhone ? 52 : 44);
    api.setGridOption("headerHeight", isPhone ? 0 : 28);
    api.setGridOption("domLayout", isPhone ? "autoHeight" : "normal");
    api.setColumnsVisible(["risk", "age"], !isPhone);
    api.setColumnWidths([{ key: "signal", newWidth: isPhone ? 76 : 60 }, { key: "last", newWidth: isPhone ? 96 : 76 }]);
    api.resetRowHeights();
  }

  // ---- keys, filter, address --------------------------------------------------------------------------

  const TABBABLE = "a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex]";

  /* What Tab reaches outside a grid: the nearest after it, or before it. */
  function beside(grid, isBack) {
    const side = isBack ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING;
    const found = [...document.querySelectorAll(TABBABLE)].filter((one) =>
      one.tabIndex >= 0 && !grid.contains(one) && grid.compareDocumentPosition(one) & side && one.checkVisibility());
    return isBack ? found[found.length - 1] : found[0];
  }

  /* Arrows move inside the grid; Tab leaves it, as it leaves any other control. The grid's own way out (tabToNextCell)
     ends on a row when one is drawn at that moment. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Tab" || event.ctrlKey || event.altKey || event.metaKey) return;
    const grid = event.target.closest && event.target.closest(".ph-watchlist");
    const next = grid && beside(grid, event.shiftKey);
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    next.focus();
  }, true);

  document.addEventListener("keydown", (event) => {
    const row = event.key === "Enter" && event.target.closest && event.target.closest(".ph-watchlist .ag-row");
    if (!row) return;
    const api = apiOf(row.closest(".ph-watchlist").id);
    const node = api && api.getRowNode(row.getAttribute("row-id"));
    if (node) node.setSelected(true, true);
  });

  document.addEventListener("input", (event) => {
    const box = event.target.closest && event.target.closest("[data-grid-filter]");
    const api = box && apiOf(box.dataset.gridFilter);
    if (api) api.setGridOption("quickFilterText", event.target.value);
  });

  /* A page that changes what it shows without being left says so in the address: a link shows the same screen. */
  function address() {
    const root = document.querySelector("#ph-page > [data-address]");
    if (!root || root.dataset.address === root.phAddress) return;
    const isFirst = root.phAddress === undefined;
    root.phAddress = root.dataset.address;
    if (!isFirst) window.history.replaceState(window.history.state, "", root.dataset.address);
  }

  function start() {
    new MutationObserver(() => {
      news();
      address();
    }).observe(document.body, {
      subtree: true,
      childList: true,
      attributes: true,
      attributeFilter: ["data-ticks", "data-rows", "data-address"],
    });
    PHONE.addEventListener("change", news);
  }

  ph.gridNews = news;

  /* An answer may have given a grid its former rows: what came since is merged into them once more. */
  ph.gridAgain = function () {
    document.querySelectorAll("[data-grid-feed]").forEach((feed) => (feed.phRows = feed.phTicks = undefined));
    news();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
