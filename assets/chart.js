/* Charts beside Plotly's own calls: the figure of a store, a closed bar that moves the tails of its traces, ranges that
   follow the newest bar until somebody moves them, "Jump to live", image and full screen. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const MAX_POINTS = 900; // a chart that has grown this long drops its oldest bars
  const KEPT_POINTS = 500;
  const asked = new WeakMap(); // chart -> step that it could not take
  const watched = new WeakSet();

  clientside.pilothouse = Object.assign({}, clientside.pilothouse, {
    drawFigure: (figure) => figure || clientside.no_update,
  });

  // ---- a closed bar -----------------------------------------------------------------------------------

  function inside(object, path) {
    return path.split(".").reduce((value, key) => (value ? value[key] : undefined), object);
  }

  /* Returns the trace's arrays with the tail in place of their end, or null when the tail does not continue them: bars
     are missing between the two, or the market went back. */
  function withTail(trace, tail) {
    const old = Array.from(trace.x || []);
    const last = old[old.length - 1];
    if (!old.length) return columns(trace, tail, 0, 0);
    if (!tail.x.length || tail.x[0] < old[0] || tail.x[0] > last || tail.x[tail.x.length - 1] < last) return null;
    const from = old.findIndex((at) => at >= tail.x[0]);
    const drop = from + tail.x.length > MAX_POINTS ? from + tail.x.length - KEPT_POINTS : 0;
    return columns(trace, tail, drop, from);
  }

  function columns(trace, { trace: _, ...tail }, drop, from) {
    const merged = {};
    for (const [key, values] of Object.entries(tail)) {
      merged[key] = Array.from(inside(trace, key) || []).slice(drop, from).concat(values);
    }
    return merged;
  }

  /* Once for each step: the figure that comes as the answer is at least as new. */
  function askAgain(chart, step) {
    const host = chart.closest("[data-chart-again]");
    if (!host || asked.get(chart) === step) return;
    asked.set(chart, step);
    clientside.set_props(host.dataset.chartAgain, { data: performance.now() });
  }

  function advance(chart, step) {
    if (!chart.data.length) return Promise.resolve(); // its figure comes
    if (meta(chart) && meta(chart).key !== step.meta.key) return Promise.resolve(); // another symbol came before
    const changes = new Map();
    for (const tail of step.tails) {
      const merged = chart.data[tail.trace] ? withTail(chart.data[tail.trace], tail) : null;
      if (!merged) {
        askAgain(chart, step);
        return Promise.resolve();
      }
      changes.set(tail.trace, merged);
    }
    for (const { trace, ...set } of step.sets) changes.set(trace, set);
    const traces = [...changes.keys()];
    const update = {};
    traces.forEach((trace, i) => {
      for (const [key, values] of Object.entries(changes.get(trace))) {
        update[key] = update[key] || new Array(traces.length).fill(undefined);
        update[key][i] = values;
      }
    });
    const wish = Object.assign({}, step.meta, { y: held(chart, step, changes) });
    const layout = Object.assign({}, step.layout, isFollowing(chart) ? ranges(wish) : {});
    chart.layout.meta = wish;
    return window.Plotly.update(chart, update, layout, traces).then(() => mark(chart));
  }

  /* Returns the price range, widened to the traces that the step leaves as they are but wants in view. */
  function held(chart, { meta: wish }, changes) {
    const kept = (wish.hold || []).filter((trace) => !changes.has(trace) && chart.data[trace]);
    const values = kept.flatMap((trace) => Array.from(chart.data[trace].y || [])).filter(Number.isFinite);
    if (!wish.y || !values.length) return wish.y;
    return [Math.min(wish.y[0], ...values), Math.max(wish.y[1], ...values)];
  }

  ph.plotCalls = Object.assign(ph.plotCalls || {}, { advance });

  // ---- following the newest bar -----------------------------------------------------------------------

  function meta(chart) {
    return chart.layout && chart.layout.meta;
  }

  function ranges(wish) {
    const found = {};
    if (wish.x) found["xaxis.range"] = wish.x.slice();
    if (wish.y) found["yaxis.range"] = wish.y.slice();
    return found;
  }

  function number(value) {
    return typeof value === "number" ? value : Date.parse(String(value).replace(" ", "T") + (String(value).length <= 10 ? "T00:00Z" : "Z"));
  }

  function isSame(range, wish) {
    if (!wish || !range) return true;
    const slack = Math.abs(number(wish[1]) - number(wish[0])) * 1e-6;
    return wish.every((value, i) => Math.abs(number(value) - number(range[i])) <= slack);
  }

  function isFollowing(chart) {
    const wish = meta(chart);
    const full = chart._fullLayout;
    return !wish || !full || (isSame(full.xaxis.range, wish.x) && isSame(full.yaxis.range, wish.y));
  }

  function isLiveInView(chart) {
    const wish = meta(chart);
    if (!wish || !wish.last || !chart._fullLayout) return true;
    const [from, to] = chart._fullLayout.xaxis.range.map(number);
    return number(wish.last) >= from && number(wish.last) <= to;
  }

  function mark(chart) {
    const host = chart.closest("[data-chart-host]");
    const button = host && host.querySelector("[data-chart-live]");
    if (button) button.hidden = isLiveInView(chart);
  }

  function plotOf(element) {
    const host = element.closest("[data-chart-host]");
    return host && host.querySelector(".js-plotly-plot");
  }

  function watch() {
    document.querySelectorAll("[data-chart-host] .js-plotly-plot").forEach((chart) => {
      if (watched.has(chart) || !chart.on) return;
      watched.add(chart);
      chart.on("plotly_relayout", () => mark(chart));
      chart.on("plotly_hover", (event) => hoverLegend(chart, event));
      chart.on("plotly_unhover", () => showLegend(chart, null));
      chart.on("plotly_doubleclick", () => window.Plotly.relayout(chart, ranges(meta(chart) || {})));
    });
  }

  // ---- legend -----------------------------------------------------------------------------------------

  /* The legend of the bar under the pointer takes the place of the newest bar's; its words came with the bar. */
  function showLegend(chart, texts) {
    const host = chart.closest("[data-chart-host]");
    const newest = host && host.querySelector("[data-chart-legend]");
    const hovered = host && host.querySelector("[data-chart-hovered]");
    const when = host && host.querySelector("[data-chart-when]");
    if (!newest || !hovered || !when) return;
    newest.hidden = Boolean(texts);
    hovered.hidden = when.hidden = !texts;
    if (!texts) return;
    when.textContent = texts[0];
    hovered.querySelectorAll("[data-figure]").forEach((figure, i) => (figure.textContent = texts[i + 1] || ""));
  }

  function hoverLegend(chart, event) {
    const point = event.points.find((one) => chart.data[one.curveNumber].customdata);
    const texts = point && chart.data[point.curveNumber].customdata[point.pointNumber];
    if (texts) showLegend(chart, texts);
  }

  // ---- tools ------------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const target = event.target.closest && event.target.closest("[data-chart-live], [data-chart-image], [data-full-screen]");
    if (!target) return;
    if (target.dataset.fullScreen !== undefined) {
      const panel = target.closest(".ph-panel");
      if (document.fullscreenElement) document.exitFullscreen();
      else if (panel.requestFullscreen) panel.requestFullscreen();
      return;
    }
    const chart = plotOf(target);
    if (!chart) return;
    if (target.dataset.chartLive !== undefined) {
      window.Plotly.relayout(chart, ranges(meta(chart) || {})).then(() => mark(chart));
    } else {
      ph.savePicture(chart, target.dataset.chartImage);
    }
  });

  window.addEventListener("ph:painted", watch);
})();
