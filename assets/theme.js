/* Theme and colours of figures. Figures come with tokens ("var(--ph-acc)", "var(--ph-acc|0.17)"); they are resolved
   at Plotly's own door, so one encoding serves both themes and no figure is drawn in a wrong colour first. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const TOKEN = /^var\((--ph-[\w-]+)(?:\|([\d.]+))?\)(?:\|([\d.]+))?$/; // the form inside passes Plotly in Python
  const STORE = "ph-theme";
  const known = new Map(); // resolved colour -> token it came from
  const indexOf = new Map(); // token name -> number written into the last digits of alpha
  let cache = new Map();
  let probe = null;

  function channels(name) {
    if (!cache.has(name)) {
      const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
      if (!probe) {
        probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      }
      probe.clearRect(0, 0, 1, 1);
      probe.fillStyle = value || "#888888";
      probe.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data;
      cache.set(name, [r, g, b, a / 255]);
    }
    return cache.get(name);
  }

  /* Two tokens may have one colour in a theme, so the last digits of alpha (below 0.001) name the token. */
  function resolveToken(token) {
    const match = TOKEN.exec(token);
    if (!match) return token;
    const name = match[1];
    const opacity = match[2] === undefined ? match[3] : match[2];
    if (!indexOf.has(name)) indexOf.set(name, indexOf.size);
    const [r, g, b, a] = channels(name);
    const alpha = Math.min(0.999, opacity === undefined ? a : Number(opacity));
    const digits = alpha.toFixed(3) + String(indexOf.get(name)).padStart(3, "0");
    const colour = "rgba(" + r + ", " + g + ", " + b + ", " + digits + ")";
    known.set(colour, token);
    return colour;
  }

  /* Copy on write: what holds no string to change is passed on as it is, so Plotly still sees the same arrays. */
  function mapStrings(value, change) {
    if (typeof value === "string") return change(value);
    if (!value || typeof value !== "object" || ArrayBuffer.isView(value) || value instanceof Node) return value;
    if (Array.isArray(value)) {
      const isNumber = (item) => typeof item === "number" || item === null;
      if (isNumber(value[0]) && isNumber(value[value.length - 1])) return value; // data; a stop of a colour scale is not
      let copy = null;
      for (let i = 0; i < value.length; i += 1) {
        const next = mapStrings(value[i], change);
        if (next !== value[i]) {
          copy = copy || value.slice();
          copy[i] = next;
        }
      }
      return copy || value;
    }
    let copy = null;
    for (const key of Object.keys(value)) {
      if (key.charCodeAt(0) === 95) continue; // Plotly's private fields
      const next = mapStrings(value[key], change);
      if (next !== value[key]) {
        copy = copy || Object.assign({}, value);
        copy[key] = next;
      }
    }
    return copy || value;
  }

  function resolve(value) {
    return mapStrings(value, (text) => (text.charCodeAt(0) === 118 ? resolveToken(text) : text));
  }

  ph.resolveFigure = resolve;
  ph.resolveToken = resolveToken;

  const DRAWING = ["newPlot", "react", "restyle", "relayout", "update", "addTraces", "extendTraces", "prependTraces"];

  function guard(plotly) {
    if (!plotly || plotly.phResolves) return plotly;
    for (const name of DRAWING) {
      const draw = plotly[name];
      if (typeof draw !== "function") continue;
      plotly[name] = function (target, ...rest) {
        return draw.call(plotly, target, ...rest.map(resolve));
      };
    }
    plotly.phResolves = true;
    return plotly;
  }

  /* The part of Plotly that has the charts of these pages, a quarter of the whole. Dash says where the whole lies. */
  Object.defineProperty(window, "_dashPlotlyJSURL", {
    get: () => "/assets/vendor/plotly-finance-4.1.0.min.js",
    set: () => undefined,
  });

  let plotly = guard(window.Plotly);
  Object.defineProperty(window, "Plotly", {
    configurable: true,
    enumerable: true,
    get: () => plotly,
    set: (value) => {
      plotly = guard(value);
    },
  });

  function recolour() {
    const before = new Map(known);
    cache = new Map();
    known.clear();
    const again = (text) => (before.has(text) ? resolveToken(before.get(text)) : text);
    document.querySelectorAll(".js-plotly-plot").forEach((plot) => {
      if (!plot.data || !plotly) return;
      plotly.react(plot, mapStrings(plot.data, again), mapStrings(plot.layout, again), plot._context);
    });
  }

  const systemIsLight = window.matchMedia("(prefers-color-scheme: light)");

  function chosen() {
    try {
      return window.localStorage.getItem(STORE);
    } catch (error) {
      return null; // storage is switched off: the system's theme is followed
    }
  }

  function show(theme) {
    if (document.documentElement.getAttribute("data-bs-theme") === theme) return;
    document.documentElement.setAttribute("data-bs-theme", theme);
    recolour();
    label();
  }

  function label() {
    const isDark = document.documentElement.getAttribute("data-bs-theme") !== "light";
    document.querySelectorAll("[data-ph-theme]").forEach((button) => {
      const words = isDark ? "Use the light theme" : "Use the dark theme";
      button.setAttribute("aria-label", words);
      button.setAttribute("title", words);
    });
  }

  ph.toggleTheme = function () {
    const next = document.documentElement.getAttribute("data-bs-theme") === "light" ? "dark" : "light";
    try {
      window.localStorage.setItem(STORE, next);
    } catch (error) {
      /* not kept, still shown */
    }
    show(next);
  };

  systemIsLight.addEventListener("change", () => {
    if (!chosen()) show(systemIsLight.matches ? "light" : "dark");
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest && event.target.closest("[data-ph-theme]")) ph.toggleTheme();
  });
  ph.labelTheme = label;
})();
