/* Draws what the live hub sends: keeps the newest patch of each part, paints numbers at once and drawings at most five times a second.
   Meaning and arithmetic stay in Python; here are the connection and the painting. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const LIGHT_MS = 50; // between two paints of numbers
  const HEAVY_MS = 200; // between two paints of charts and blocks, at least
  const FRAME_MS = 17;
  const HEAVY_REST = 4; // times as long as they took, the page is left to the hand and to numbers
  const MOST_REST_MS = 2000;
  const LOOK_MS = 400; // between two looks at what nobody tells of
  const SILENCE_MS = 5000; // the hub speaks at least every two seconds
  const POLL_MS = 2000;
  const RETRY_WHILE_POLLING_MS = 30000;
  const PATIENCE = 40; // paints to wait for an element that is not mounted yet

  const patches = new Map(); // topic -> newest patch
  const dirty = new Map(); // topic -> paints tried
  const asserted = new WeakMap(); // element -> JSON of the props last set
  const plotted = new Map(); // plot -> its data when patches were applied, and Map(topic -> patch)
  const failed = new Map(); // topic -> words
  let topics = [];
  let since = 0;
  let epoch = "";
  let skew = 0; // server's clock minus this one, seconds
  let lastFrameAt = 0;
  let socket = null;
  let attempts = 0;
  let everOpened = false;
  let pollTimer = 0;
  let retryTimer = 0;
  let paintTimer = 0;
  let paintAt = 0; // when the timer is due
  let lastPaint = 0;
  let nextHeavy = 0; // when charts and blocks may be drawn again; Infinity while they are
  let paintDelay = 0; // from the arrival of a frame to its paint, ms
  let overFrame = 0; // after it, everything is painted over an answer
  let pageRoot = null;

  // ---- what this page shows ---------------------------------------------------------------------------

  function wanted() {
    const found = new Set();
    document.querySelectorAll("[data-topics]").forEach((element) => {
      const dialog = element.closest("dialog");
      if (dialog && !dialog.open) return;
      element.getAttribute("data-topics").split(" ").filter(Boolean).forEach((topic) => found.add(topic));
    });
    return [...found];
  }

  function look() {
    const next = wanted();
    const root = document.querySelector("#ph-page > *");
    const isSame = next.length === topics.length && next.every((topic) => topics.includes(topic));
    if (isSame && root === pageRoot) return;
    if (root !== pageRoot) {
      pageRoot = root;
      patches.forEach((_, topic) => dirty.set(topic, 0));
      markCurrent();
      schedule();
    }
    if (isSame) return;
    for (const topic of topics) {
      if (!next.includes(topic)) {
        patches.delete(topic);
        dirty.delete(topic);
        failed.delete(topic);
      }
    }
    const isMore = next.some((topic) => !topics.includes(topic));
    topics = next;
    if (isMore) since = 0;
    subscribe();
    showProblems();
  }
  ph.look = look;

  function markCurrent() {
    const here = window.location.pathname.replace(/\/$/, "") || "/";
    document.querySelectorAll("a.ph-rail-item").forEach((link) => {
      const isHere = new URL(link.href).pathname.replace(/\/$/, "") === here.replace(/^\/$/, "");
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
  }

  // ---- connection -------------------------------------------------------------------------------------

  function subscribe() {
    if (socket && socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify({ topics, since, epoch }));
    } else if (pollTimer) {
      poll();
    }
  }

  function connect() {
    if (socket || !topics.length) return;
    const scheme = window.location.protocol === "https:" ? "wss://" : "ws://";
    const mine = new WebSocket(scheme + window.location.host + "/ws/live");
    socket = mine;
    mine.onopen = () => {
      attempts = 0;
      everOpened = true;
      lastFrameAt = performance.now();
      stopPolling();
      subscribe();
    };
    mine.onmessage = (message) => take(JSON.parse(message.data));
    mine.onclose = () => {
      if (socket !== mine) return;
      socket = null;
      attempts += 1;
      if (attempts >= (everOpened ? 6 : 3)) startPolling();
      badge();
      retry();
    };
  }

  function retry() {
    window.clearTimeout(retryTimer);
    const backoff = Math.min(15000, 500 * 2 ** Math.min(attempts - 1, 6)) * (0.5 + Math.random() / 2);
    retryTimer = window.setTimeout(connect, pollTimer ? RETRY_WHILE_POLLING_MS : backoff);
  }

  function reconnectNow() {
    if (socket && socket.readyState === WebSocket.OPEN) return;
    attempts = Math.min(attempts, 1);
    window.clearTimeout(retryTimer);
    connect();
  }

  function startPolling() {
    if (pollTimer) return;
    pollTimer = window.setInterval(poll, POLL_MS);
    poll();
  }

  function stopPolling() {
    window.clearInterval(pollTimer);
    pollTimer = 0;
  }

  async function poll() {
    const query = new URLSearchParams({ topics: topics.join(","), since: String(since), epoch });
    try {
      const answer = await fetch("/api/live?" + query, { cache: "no-store" });
      if (answer.ok) {
        if (performance.now() - lastFrameAt > SILENCE_MS) reconnectNow(); // the server is back
        take(await answer.json());
      }
    } catch (error) {
      badge(); // the next turn tries again
    }
  }

  function take(frame) {
    lastFrameAt = performance.now();
    if (ph.found) ph.found();
    skew = frame.now - Date.now() / 1000;
    epoch = frame.epoch;
    since = frame.v;
    for (const [topic, patch] of Object.entries(frame.parts || {})) {
      if (!topics.includes(topic)) continue;
      if (patch.error) failed.set(topic, patch.error);
      else {
        failed.delete(topic);
        patches.set(topic, patch);
        dirty.set(topic, 0);
      }
    }
    (frame.unknown || []).forEach((topic) => failed.set(topic, "this part does not exist"));
    badge();
    showProblems();
    if (dirty.size) schedule();
  }

  function watchSilence() {
    if (socket && socket.readyState === WebSocket.OPEN && performance.now() - lastFrameAt > SILENCE_MS) {
      const silent = socket;
      socket = null;
      silent.onclose = null;
      silent.close();
      attempts += 1;
      badge();
      retry();
    }
  }

  function clock(seconds) {
    return new Date(seconds * 1000).toTimeString().slice(0, 8);
  }

  function badge() {
    const isOpen = socket && socket.readyState === WebSocket.OPEN;
    const state = isOpen ? "live" : pollTimer && performance.now() - lastFrameAt < 3 * POLL_MS ? "polling" : "lost";
    const since_ = lastFrameAt ? clock((Date.now() - (performance.now() - lastFrameAt)) / 1000) : "";
    const words = {
      live: "",
      polling: "Polling every 2 s",
      lost: since_ ? "Reconnecting… data from " + since_ : "Connecting…",
    }[state];
    const banner = document.getElementById("ph-connection");
    if (!banner) return;
    document.documentElement.dataset.connection = state;
    banner.hidden = state === "live" || (state === "lost" && !lastFrameAt && attempts < 2);
    const label = document.getElementById("ph-connection-text");
    if (label && label.textContent !== words) label.textContent = words;
  }

  function showProblems() {
    const box = document.getElementById("ph-live-problem");
    if (!box) return;
    const words = [...failed].map(([topic, error]) => topic + " was not drawn: " + error).join(" · ");
    box.hidden = !words;
    const label = document.getElementById("ph-live-problem-text");
    if (label && label.textContent !== words) label.textContent = words;
  }

  // ---- painting ---------------------------------------------------------------------------------------

  function isDrawn(plots) {
    const own = ph.plotCalls || {};
    return Object.values(plots || {}).some((calls) => calls.some(([method]) => !(own[method] && own[method].isLight)));
  }

  function isHeavy(topic) {
    const patch = patches.get(topic);
    return Boolean(patch && (patch.props || isDrawn(patch.plot)));
  }

  /* Numbers do not wait for a chart that was drawn a moment ago. */
  function schedule() {
    const isLight = [...dirty.keys()].some((topic) => !isHeavy(topic));
    const rest = isLight ? 0 : nextHeavy;
    if (rest === Infinity) return; // what is being drawn calls again
    const due = Math.max(performance.now(), lastPaint + LIGHT_MS, rest); // numbers are on screen before a chart is begun
    if (paintTimer && paintAt <= due) return;
    window.clearTimeout(paintTimer);
    paintAt = due;
    paintTimer = window.setTimeout(() => window.requestAnimationFrame(paint), due - performance.now());
  }

  function paint() {
    paintTimer = 0;
    lastPaint = performance.now();
    paintDelay = lastPaint - lastFrameAt;
    const light = [...dirty].filter(([topic]) => !isHeavy(topic));
    const isHeavyDue = !light.length && lastPaint >= nextHeavy; // else in a frame of their own
    for (const [topic, tries] of isHeavyDue ? [...dirty] : light) {
      const patch = patches.get(topic);
      const isDone = !patch || apply(topic, patch);
      if (isDone || tries >= PATIENCE) dirty.delete(topic);
      else dirty.set(topic, tries + 1);
    }
    window.dispatchEvent(new CustomEvent("ph:painted"));
    if (isHeavyDue) restAfter(lastPaint);
    if (dirty.size) schedule();
  }

  /* What was begun goes on after this frame: blocks are rendered, charts laid out. It is over when the browser has drawn
     the next one; a page that cannot keep up draws its charts less often, and still answers. */
  function restAfter(begun) {
    nextHeavy = Infinity;
    window.requestAnimationFrame(() =>
      window.setTimeout(() => {
        const now = performance.now();
        nextHeavy = Math.max(begun + HEAVY_MS, now + Math.min(MOST_REST_MS, HEAVY_REST * (now - begun - FRAME_MS)));
        if (dirty.size) schedule();
      }),
    );
  }

  /* Returns whether every element was there. Props first: they may bring the elements that text is meant for. */
  function apply(topic, patch) {
    let isWhole = true;
    each(patch.props, (id, props) => (isWhole = setProps(id, props) && isWhole));
    each(patch.text, (id, text) => (isWhole = setText(document.getElementById(id), text) && isWhole));
    each(patch.cls, (id, names) => (isWhole = setClass(document.getElementById(id), names) && isWhole));
    each(patch.attrs, (id, attrs) => (isWhole = setAttributes(document.getElementById(id), attrs) && isWhole));
    each(patch.plot, (id, calls) => (isWhole = plot(topic, patch, id, calls) && isWhole));
    each(patch.age, (id, age) => (isWhole = setAge(document.getElementById(id), age) && isWhole));
    return isWhole;
  }

  function each(table, act) {
    if (table) for (const [key, value] of Object.entries(table)) act(key, value);
  }

  function setAge(element, [received, budget, behind]) {
    if (!element) return false;
    element.dataset.received = String(received);
    element.dataset.budget = String(budget);
    element.dataset.behind = String(behind || 0);
    return true;
  }

  function setText(element, text) {
    if (!element) return false;
    let node = element.firstChild;
    while (node && node.nodeType !== Node.TEXT_NODE) node = node.nextSibling;
    if (!node) element.appendChild(document.createTextNode(text));
    else if (node.nodeValue !== text) node.nodeValue = text;
    return true;
  }

  function setClass(element, names) {
    if (!element) return false;
    if (element.getAttribute("class") !== names) element.setAttribute("class", names);
    return true;
  }

  function setAttributes(element, attrs) {
    if (!element) return false;
    each(attrs, (name, value) => {
      if (value === null) element.removeAttribute(name);
      else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
    });
    return true;
  }

  /* Before a component is mounted set_props is lost, and after a new mount the old props are back: assert again.
     A store has no element of its own; a chart's store stands beside its host. */
  function setProps(id, props) {
    const clientside = window.dash_clientside;
    if (!clientside || !clientside.set_props) return false;
    const key = keyOf(id);
    const element = elementOf(id, key);
    if (!element) return false;
    const done = asserted.get(element) || {};
    const wish = JSON.stringify(props);
    if (done[id] !== wish) {
      asserted.set(element, Object.assign(done, { [id]: wish }));
      const { children, ...others } = props;
      const isDrawn = children !== undefined && ph.draw && ph.draw(element, children);
      const left = isDrawn ? others : props;
      if (Object.keys(left).length) clientside.set_props(key, left);
    }
    return true;
  }

  function keyOf(id) {
    return id.charAt(0) === "{" ? JSON.parse(id) : id;
  }

  function elementOf(id, key) {
    return (
      document.getElementById(id) ||
      (key.type === "figure" && document.querySelector('[data-chart="' + CSS.escape(key.name) + '"]'))
    );
  }

  /* An answer of Dash has changed a block that was drawn, and may have been made before what was drawn. A patch that
     this page still asks for is the newest there is of its topic, so it is drawn once more. */
  ph.drawAgain = function (element) {
    asserted.delete(element);
    patches.forEach((patch, topic) => {
      if (Object.keys(patch.props || {}).some((id) => elementOf(id, keyOf(id)) === element)) dirty.set(topic, 0);
    });
    if (dirty.size) schedule();
  };

  /* Dash has put an answer of the server on the page, made before what came meanwhile: everything that this page asks for
     is painted once more over it, when it is drawn. */
  ph.answered = function (id) {
    const element = typeof id === "string" && document.getElementById(id);
    if (element) asserted.delete(element);
    window.cancelAnimationFrame(overFrame);
    overFrame = window.requestAnimationFrame(() => window.setTimeout(() => {
      patches.forEach((_, topic) => dirty.has(topic) || dirty.set(topic, 0));
      ph.gridAgain();
      schedule();
    }));
  };

  function plot(topic, patch, id, calls) {
    const host = document.querySelector('[data-chart="' + CSS.escape(id) + '"]') || document.getElementById(id);
    const chart = host && (host.matches(".js-plotly-plot") ? host : host.querySelector(".js-plotly-plot"));
    if (!chart || !chart._fullLayout || !window.Plotly) return false;
    const done = doneIn(chart);
    if (done.get(topic) === patch) return true;
    done.set(topic, patch);
    for (const [method, ...args] of calls) {
      const own = ph.plotCalls && ph.plotCalls[method];
      Promise.resolve(own ? own(chart, ...args) : window.Plotly[method](chart, ...args)).catch((error) => {
        failed.set(topic, "Plotly." + method + ": " + error.message);
        showProblems();
      });
    }
    return true;
  }

  /* Plotly changes a chart's data in place; a new figure replaces them, and may be older than what was drawn into the
     one before. Then every patch of that chart is drawn again. */
  function doneIn(chart) {
    const known = plotted.get(chart);
    if (known && known.data === chart.data) return known.done;
    if (known) known.done.forEach((_, topic) => patches.has(topic) && dirty.set(topic, 0));
    plotted.set(chart, { data: chart.data, done: new Map() });
    return plotted.get(chart).done;
  }

  function plotAgain() {
    [...plotted.keys()].forEach((chart) => (chart.isConnected ? doneIn(chart) : plotted.delete(chart)));
    if (dirty.size) schedule();
  }

  // ---- start ------------------------------------------------------------------------------------------

  function start() {
    const observer = new MutationObserver(() => {
      look();
      if (!socket && !pollTimer && !attempts) connect();
    });
    observer.observe(document.body, {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: ["data-topics", "open"],
    });
    window.setInterval(watchSilence, LOOK_MS);
    window.setInterval(plotAgain, LOOK_MS);
    window.addEventListener("online", reconnectNow);
    window.addEventListener("popstate", markCurrent);
    window.addEventListener("_dashprivate_pushstate", markCurrent);
    document.addEventListener("visibilitychange", () => document.hidden || reconnectNow());
    look();
    connect();
  }

  ph.setText = setText;
  ph.live = {
    serverNow: () => Date.now() / 1000 + skew,
    paintDelay: () => paintDelay,
    state: () => ({ topics, since, epoch, attempts, skew, failed: Object.fromEntries(failed) }),
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
