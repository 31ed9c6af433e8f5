/* Paints a new state of a drawn chart at once, into what Plotly drew: paths of lines, fills and lying bars, the height of
   words and shapes. Axes stay as they are. Plotly lays the whole chart out anew for it, ten times slower; it does so
   when the hand rests (`ph.drawSoon`), and then everything is its own again. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const REST_MS = 250;
  const PLACED = /^(annotations|shapes)\[(\d+)\]\.(y|y0)$/;
  const waiting = new WeakMap(); // chart -> timer of the whole drawing

  function axisOf(chart, id, letter) {
    return chart._fullLayout[id ? id.replace(letter, letter + "axis") : letter + "axis"];
  }

  function pathOf(xs, ys, xaxis, yaxis) {
    let path = "";
    let isOpen = false;
    for (let i = 0; i < xs.length; i += 1) {
      const x = xs[i] === null ? NaN : xaxis.d2p(xs[i]);
      const y = ys[i] === null ? NaN : yaxis.d2p(ys[i]);
      if (Number.isFinite(x) && Number.isFinite(y)) {
        path += (isOpen ? "L" : "M") + x.toFixed(2) + "," + y.toFixed(2);
        isOpen = true;
      } else isOpen = false;
    }
    return path;
  }

  /* The elements that Plotly drew, by the number of their trace. */
  function drawnTraces(chart) {
    const found = new Map();
    chart.querySelectorAll(".scatterlayer > .trace, .barlayer > .trace").forEach((element) => {
      const data = element.__data__;
      if (data && data[0] && data[0].trace) found.set(data[0].trace.index, element);
    });
    return found;
  }

  function lineWork(element, trace, set, xaxis, yaxis) {
    const path = pathOf(set.x, set.y, xaxis, yaxis);
    // a line with gaps was drawn piece by piece: all of it goes into the first
    const work = [...element.querySelectorAll(".lines > .js-line")].map((line, i) => [line, i ? "" : path]);
    if (trace.fill === "toself") element.querySelectorAll(".js-fill").forEach((fill) => work.push([fill, path + "Z"]));
    return work;
  }

  function barWork(element, set, xaxis, yaxis) {
    const bars = [...element.querySelectorAll(".point > path")];
    if (trace(element).orientation !== "h" || bars.length !== set.x.length) return null;
    const zero = xaxis.d2p(0);
    return bars.map((bar, i) => {
      const half = (set.width ? set.width[i] : trace(element).width[i]) / 2;
      const [low, high] = [yaxis.d2p(set.y[i] - half), yaxis.d2p(set.y[i] + half)];
      const far = xaxis.d2p(set.x[i]);
      return [bar, `M${zero.toFixed(2)},${low.toFixed(2)}V${high.toFixed(2)}H${far.toFixed(2)}V${low.toFixed(2)}Z`];
    });
  }

  function trace(element) {
    return element.__data__[0].trace;
  }

  function workOf(chart, drawn, set) {
    const full = chart._fullData[set.trace];
    const element = drawn.get(set.trace);
    if (!full || !set.x) return null;
    if (!element) return set.x.length ? null : []; // nothing before and nothing now
    const [xaxis, yaxis] = [axisOf(chart, full.xaxis, "x"), axisOf(chart, full.yaxis, "y")];
    if (full.type === "bar") return barWork(element, set, xaxis, yaxis);
    if (!String(full.mode).includes("lines")) return [];
    return lineWork(element, full, set, xaxis, yaxis);
  }

  /* Words and shapes go up or down with what they name. */
  function shift(chart, layout) {
    const yaxis = chart._fullLayout.yaxis;
    for (const [key, value] of Object.entries(layout || {})) {
      const [, kind, number, end] = key.match(PLACED) || [];
      const now = kind && chart._fullLayout[kind][Number(number)];
      if (!now || now.yref !== "y" || typeof value !== "number") continue;
      const by = yaxis.d2p(value) - yaxis.d2p(now[end]);
      const what = kind === "shapes" ? ".shapelayer path" : ".annotation";
      chart.querySelectorAll(`${what}[data-index="${number}"]`).forEach((e) => (e.style.transform = `translateY(${by.toFixed(2)}px)`));
    }
  }

  /* Returns whether all of it could be painted; otherwise nothing was. */
  ph.paintQuickly = function (chart, step) {
    if (!chart.layout.meta || chart.layout.meta.key !== step.meta.key || step.tails.length) return false;
    const drawn = drawnTraces(chart);
    const work = step.sets.map((set) => workOf(chart, drawn, set));
    if (work.some((each) => each === null)) return false;
    work.flat().forEach(([path, d]) => path.setAttribute("d", d));
    shift(chart, step.layout);
    return true;
  };

  function calm(chart) {
    chart.querySelectorAll(".shapelayer path, .annotation").forEach((element) => (element.style.transform = ""));
  }

  /* Draws the step whole as soon as no other has come for a while. */
  ph.drawSoon = function (chart, draw) {
    window.clearTimeout(waiting.get(chart));
    const whole = () => {
      calm(chart);
      draw();
    };
    waiting.set(chart, window.setTimeout(whole, REST_MS));
  };

  ph.drawNever = function (chart) {
    window.clearTimeout(waiting.get(chart));
    calm(chart);
  };
})();
