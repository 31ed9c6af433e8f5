/* The what-if of the Forecast page. Sliders and numbers are read here, and the engine is asked without a round through
   Dash, so that a drag asks as fast as answers come and no faster: one question is on its way at a time, and while it
   is, only the newest wish waits. An answer to a question from before the last reset is dropped. What an answer says is
   painted at once, and drawn whole when the hand rests. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const NAMES = ["paths", "steps", "shock", "volatility"];
  const PATIENCE_MS = 5000;
  const WORDS = "forecast-what-if";
  const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  const state = { active: false, quiet: false, run: 0, n: 0, valid: 0, sentAt: 0, next: null, place: {}, set: {}, stored: {} };

  const byId = (id) => document.getElementById(id);
  const rangeOf = (name) => byId("forecast-" + name);
  const numberOf = (name) => byId("forecast-" + name + "-number");

  // ---- the controls -----------------------------------------------------------------------------------

  function put(input, value) {
    if (!input || input.value === String(value)) return;
    state.quiet = true;
    setValue.call(input, String(value));
    input.dispatchEvent(new Event("input", { bubbles: true }));
    state.quiet = false;
  }

  function show(values) {
    for (const name of NAMES) {
      state.set[name] = Number(values[name]);
      put(rangeOf(name), state.set[name]);
      put(numberOf(name), state.set[name]);
    }
  }

  function mark() {
    const root = byId("forecast-root");
    if (root) root.setAttribute("data-what-if", state.active ? "yes" : "no");
  }

  function nameOf(element, end) {
    return NAMES.find((name) => element.id === "forecast-" + name + end);
  }

  /* A thumb that moves asks at once; a number asks when it is done, within the slider's bounds. */
  function moved(event) {
    if (state.quiet || !event.target.id) return;
    const name = nameOf(event.target, "");
    if (!name) return;
    state.set[name] = Number(event.target.value);
    put(numberOf(name), state.set[name]);
    ask();
  }

  function typed(event) {
    const name = event.target.id ? nameOf(event.target, "-number") : undefined;
    if (!name) return;
    const range = rangeOf(name);
    const given = Number(event.target.value);
    const isGiven = event.target.value !== "" && Number.isFinite(given);
    const value = isGiven ? Math.min(Number(range.max), Math.max(Number(range.min), given)) : state.set[name];
    const isSame = value === state.set[name];
    state.set[name] = value;
    put(event.target, value);
    put(range, value);
    if (!isSame) ask();
  }

  function pressed(event) {
    const button = event.target.closest && event.target.closest("#forecast-rerun, #forecast-reset");
    if (!button) return;
    if (button.id === "forecast-rerun") {
      state.run += 1;
      ask();
    } else back();
  }

  // ---- asking -----------------------------------------------------------------------------------------

  function ask() {
    state.active = true;
    mark();
    state.n += 1;
    const wish = Object.assign({}, state.place, state.set, { run: state.run, n: state.n });
    if (state.sentAt && performance.now() - state.sentAt < PATIENCE_MS) state.next = wish;
    else send(wish);
  }

  function send(wish) {
    state.next = null;
    state.sentAt = performance.now();
    const headers = { "Content-Type": "application/json" };
    window
      .fetch("/api/what-if", { method: "POST", headers, body: JSON.stringify(wish) })
      .then((answer) => answer.json())
      .then((found) => (found.error ? { n: wish.n, text: { [WORDS]: "Not simulated: " + found.error } } : found))
      .catch(() => ({ n: wish.n, text: { [WORDS]: "Not simulated: the server gives no answer." } }))
      .then(take);
  }

  function back() {
    Object.assign(state, { active: false, run: 0, next: null, sentAt: 0, valid: state.n + 1 });
    if (chartOf()) ph.drawNever(chartOf());
    mark();
    show(state.stored);
  }

  /* Another level or horizon is asked for in the same what-if; another symbol begins with what is stored. */
  function forecastPlace(address, stored) {
    const place = Object.fromEntries(new URLSearchParams((address || "").split("?")[1] || ""));
    const before = state.place;
    state.place = place;
    state.stored = JSON.parse(stored || "{}");
    const isOther = ["level", "view", "horizon", "card", "edges", "hide"].some((key) => before[key] !== place[key]);
    if (before.symbol !== place.symbol) back();
    else if (!state.active) show(state.stored);
    else if (isOther) {
      if (before.horizon !== place.horizon) show(Object.assign({}, state.set, { steps: Number(place.horizon) }));
      ask();
    }
    return clientside.no_update;
  }

  // ---- answers ----------------------------------------------------------------------------------------

  function chartOf() {
    const host = document.querySelector('[data-chart="forecast-fan"]');
    const chart = host && host.querySelector(".js-plotly-plot");
    return chart && chart._fullLayout ? chart : null;
  }

  function draw(step) {
    const chart = chartOf();
    if (chart && step) ph.plotCalls[step[0]](chart, ...step.slice(1));
  }

  function paint(step) {
    const chart = chartOf();
    if (!chart || !step) return;
    if (ph.paintQuickly(chart, step[1])) ph.drawSoon(chart, () => draw(step));
    else draw(step);
  }

  function write(text) {
    for (const [id, words] of Object.entries(text || {})) if (byId(id)) ph.setText(byId(id), words);
  }

  function explain(tips) {
    for (const [id, words] of Object.entries(tips || {})) if (byId(id)) byId(id).dataset.tip = words;
  }

  function take(answer) {
    state.sentAt = 0;
    if (state.next && state.active) send(state.next);
    if (!state.active || answer.n < state.valid) return;
    write(answer.text);
    explain(answer.tips);
    paint(answer.step);
    const root = byId("forecast-root");
    if (root && answer.topics && root.dataset.topics !== answer.topics) {
      window.setTimeout(() => state.active && clientside.set_props("forecast-root", { "data-topics": answer.topics }), 0);
    }
  }

  function forecastPast(past) {
    if (past) draw(past.step);
    return clientside.no_update;
  }

  document.addEventListener("input", moved);
  document.addEventListener("change", typed);
  document.addEventListener("click", pressed);
  clientside.pilothouse = Object.assign({}, clientside.pilothouse, { forecastPlace, forecastPast });
})();
