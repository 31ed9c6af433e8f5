/* Draws what each tick moves over the price chart: the bar that is still open, its volume, the line and the tag of the
   price. Plotly would lay the whole chart out anew for it, ten times slower; its axes say where things stand. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const SVG = "http://www.w3.org/2000/svg";
  const TAG_GAP = 4;
  const PLAIN_SHARE = 0.49; // of a bar's room, where no closed bar tells how wide one is drawn
  const layers = new WeakMap(); // chart -> its elements, with the newest bar

  function element(name, parent, className) {
    const made = document.createElementNS(SVG, name);
    if (className) made.setAttribute("class", className);
    parent.append(made);
    return made;
  }

  function layerOf(chart) {
    const known = layers.get(chart);
    if (known && known.root.isConnected) return known;
    const root = document.createElementNS(SVG, "svg");
    root.setAttribute("class", "ph-open-bar");
    root.setAttribute("aria-hidden", "true");
    const price = element("svg", root);
    const volume = element("svg", root);
    const layer = {
      root, price, volume, bar: known ? known.bar : null,
      level: element("line", price, "ph-open-level"),
      wick: element("line", price),
      body: element("rect", price),
      point: element("circle", price, "ph-open-point"),
      amount: element("rect", volume),
      half: element("rect", volume),
      plate: element("rect", root, "ph-open-plate"),
      words: element("text", root, "ph-open-words ph-num"),
    };
    chart.append(root);
    layers.set(chart, layer);
    chart.on("plotly_afterplot", () => draw(chart));
    chart.on("plotly_relayouting", () => hold(chart, true)); // under a hand Plotly moves axes and traces by themselves
    chart.on("plotly_relayout", () => hold(chart, false));
    return layer;
  }

  function set(node, attributes) {
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, typeof value === "number" ? value.toFixed(2) : value);
    node.style.display = "";
  }

  function hide(...nodes) {
    nodes.forEach((node) => (node.style.display = "none"));
  }

  function place(node, xaxis, yaxis) {
    set(node, { x: xaxis._offset, y: yaxis._offset, width: xaxis._length, height: yaxis._length });
  }

  /* Pixels from one closed bar to the next. */
  function room(chart, xaxis, trace) {
    const at = Array.from(chart.data[trace].x || []).slice(-2);
    return at.length === 2 ? Math.abs(xaxis.d2p(at[1]) - xaxis.d2p(at[0])) : xaxis._length;
  }

  /* Half the width of a bar, as Plotly drew the closed ones. */
  function halfWidth(chart, xaxis, trace) {
    const drawn = (chart.calcdata && chart.calcdata[trace]) || [];
    const half = drawn[0] && drawn[0].t && drawn[0].t.bdPos;
    const last = drawn.length ? drawn[drawn.length - 1].pos : NaN;
    if (!Number.isFinite(half) || !Number.isFinite(last)) return (PLAIN_SHARE * room(chart, xaxis, trace)) / 2;
    return Math.abs(xaxis.c2p(last + half) - xaxis.c2p(last - half)) / 2;
  }

  function hold(chart, isHeld) {
    const layer = layers.get(chart);
    layer.isHeld = isHeld;
    layer.root.style.visibility = isHeld ? "hidden" : "";
    draw(chart);
  }

  function draw(chart) {
    const layer = layers.get(chart);
    const bar = layer && layer.bar;
    const full = chart._fullLayout;
    if (!bar || layer.isHeld || !full || !full.xaxis || !full.xaxis._length) return;
    const isOther = !chart.layout.meta || chart.layout.meta.key !== bar.key;
    layer.root.style.display = isOther || bar.price === null ? "none" : "";
    if (isOther || bar.price === null) return;
    set(layer.root, { width: full.width, height: full.height });
    drawLevel(layer, full, bar);
    drawHalf(chart, layer, full, bar);
    drawBar(chart, layer, full, bar);
  }

  function drawLevel(layer, full, bar) {
    const { xaxis, yaxis } = full;
    place(layer.price, xaxis, yaxis);
    const y = yaxis.d2p(bar.price);
    set(layer.level, { x1: 0, x2: xaxis._length, y1: y, y2: y });
    const isSeen = y >= 0 && y <= yaxis._length;
    if (!isSeen) return hide(layer.plate, layer.words);
    const left = xaxis._offset + xaxis._length + TAG_GAP;
    layer.words.textContent = bar.tag;
    set(layer.words, { x: left + 3, y: yaxis._offset + y });
    layer.plate.style.display = "";
    if (layer.measured !== bar.tag.length || !layer.wide) {
      layer.measured = bar.tag.length;
      layer.wide = layer.words.getComputedTextLength();
    }
    set(layer.plate, { x: left, y: yaxis._offset + y - 9, width: layer.wide + 6, height: 18 });
  }

  /* A stepped area ends in the middle of its last bar: the half that it leaves out. */
  function drawHalf(chart, layer, { xaxis, yaxis2 }, bar) {
    const areas = bar.isLine || !yaxis2 ? [] : [chart.data[bar.trace + 1], chart.data[bar.trace + 2]];
    const k = areas.findIndex((area) => area && area.y && area.y[area.y.length - 1] > 0);
    if (k < 0) return hide(layer.half);
    const x = xaxis.d2p(areas[k].x[areas[k].x.length - 1]);
    place(layer.volume, xaxis, yaxis2);
    drawAmount(layer.half, k ? "dn" : "up", x, room(chart, xaxis, bar.trace) / 2, yaxis2, areas[k].y[areas[k].y.length - 1]);
  }

  function drawAmount(node, tone, left, width, axis, amount) {
    const top = axis.d2p(amount);
    set(node, { class: "ph-open-volume-" + tone, x: left, y: top, width, height: Math.max(axis.d2p(0) - top, 0) });
  }

  function drawBar(chart, layer, full, bar) {
    const { xaxis, yaxis, yaxis2 } = full;
    const [open, high, low, close, volume] = bar.bar || [];
    if (!bar.bar) return hide(layer.wick, layer.body, layer.point, layer.amount);
    const x = xaxis.d2p(bar.at);
    if (bar.isLine) {
      set(layer.point, { cx: x, cy: yaxis.d2p(close), r: 2.5 });
      return hide(layer.wick, layer.body, layer.amount);
    }
    const tone = close >= open ? "up" : "dn";
    const half = halfWidth(chart, xaxis, bar.trace);
    const [top, bottom] = [yaxis.d2p(Math.max(open, close)), yaxis.d2p(Math.min(open, close))];
    hide(layer.point);
    set(layer.wick, { class: "ph-open-" + tone, x1: x, x2: x, y1: yaxis.d2p(high), y2: yaxis.d2p(low) });
    set(layer.body, { class: "ph-open-body ph-open-" + tone, x: x - half, y: top, width: 2 * half, height: Math.max(bottom - top, 0.5) });
    if (!yaxis2 || !volume) return hide(layer.amount);
    const wide = room(chart, xaxis, bar.trace);
    place(layer.volume, xaxis, yaxis2);
    drawAmount(layer.amount, tone, x - wide / 2, wide, yaxis2, volume);
  }

  function openBar(chart, bar) {
    layerOf(chart).bar = bar;
    draw(chart);
    return Promise.resolve();
  }
  openBar.isLight = true;

  ph.plotCalls = Object.assign(ph.plotCalls || {}, { openBar });

  /* The layer with the open bar of a chart, null where none is drawn. */
  ph.openBarLayer = function (chart) {
    const layer = layers.get(chart);
    return layer && layer.root.isConnected && layer.root.style.display !== "none" ? layer.root : null;
  };
})();
