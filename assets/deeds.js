/* Notes what a person does to the proposal of weights, until an answer has told of it. Dash drops the answer to a request
   as soon as the next one is made, and takes two clicks for one while it waits; so deeds are read here, sent in order, one
   request at a time, and again with the next one until the proposal says that it has taken them.

   A proposal that is not applied outlives its page: the tab keeps it, with what no answer has told of, until it is applied
   or discarded. A page that is opened anew takes it up as its first deed. */
(function () {
  "use strict";
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const page = Date.now().toString(36) + Math.random().toString(36).slice(2, 8);
  const BUTTONS = ["strategies-apply", "strategies-equal", "strategies-reset", "strategies-discard"];
  const KEPT = "strategies-kept";
  const STORE = "ph-proposal";
  /* What is in force, or was refused, is told anew, and money is moved once. */
  const UNREPEATED = ["strategies-apply", "strategies-force", "strategies-refused", KEPT];
  const PATIENCE_MS = 2000;
  const state = { root: null, deeds: [], n: 0, sent: 0, sentAt: 0, current: "", proposal: null, refused: null };

  function note(trigger, value) {
    freshen();
    const last = state.deeds[state.deeds.length - 1];
    const isDrag = last && last.n > state.sent && trigger.type === "strategies-slider" && isSame(last.trigger, trigger);
    if (isDrag) state.deeds.pop(); // a drag is where it has come to
    push(trigger, value);
    keep();
    send();
  }

  function push(trigger, value) {
    state.deeds.push({ n: (state.n += 1), trigger, value });
  }

  function isSame(one, other) {
    return JSON.stringify(one) === JSON.stringify(other);
  }

  /* A page that was opened anew has a proposal of its own, and takes up the one that this tab keeps. */
  function freshen() {
    const root = document.getElementById("strategies-root");
    if (root === state.root) return;
    Object.assign(state, { root, deeds: [], sent: state.n, sentAt: 0, current: "", proposal: null });
    const kept = read();
    if (!kept) return;
    if (kept.proposal) push(KEPT, JSON.stringify(kept.proposal));
    kept.deeds.forEach((deed) => push(deed.trigger, deed.value));
  }

  function read() {
    try {
      return JSON.parse(window.sessionStorage.getItem(STORE));
    } catch {
      return null; // storage is shut, or holds what we did not write
    }
  }

  /* Not before the page has taken up what is kept: until then its own proposal is empty. */
  function keep() {
    if (state.deeds.some((deed) => deed.trigger === KEPT)) return;
    const { proposal } = state;
    const deeds = state.deeds.filter((deed) => !UNREPEATED.includes(deed.trigger));
    const isOpen = Boolean(proposal) && JSON.stringify(proposal.weights) !== JSON.stringify(proposal.current);
    const isKept = isOpen || deeds.length > 0;
    try {
      if (isKept) window.sessionStorage.setItem(STORE, JSON.stringify({ proposal, deeds }));
      else window.sessionStorage.removeItem(STORE);
    } catch {
      // the proposal lives as long as its page
    }
    mark();
  }

  /* The rail says that something waits to be applied, on every page; what was sent waits no more. */
  function mark() {
    const kept = read();
    const isSent = kept && kept.proposal && kept.proposal.is_sent && !kept.deeds.length;
    document.documentElement.toggleAttribute("data-ph-proposal", Boolean(kept && !isSent));
  }

  function send() {
    const newest = state.deeds[state.deeds.length - 1];
    const isWaiting = state.deeds.some((deed) => deed.n <= state.sent) && performance.now() - state.sentAt < PATIENCE_MS;
    if (!newest || isWaiting) return;
    state.sent = newest.n;
    state.sentAt = performance.now();
    clientside.set_props("strategies-deeds", { data: { page, deeds: state.deeds } });
    window.setTimeout(send, PATIENCE_MS + 50);
  }

  function heedRefusal() {
    const { proposal, refused } = state;
    if (!refused || !proposal || !proposal.is_sent || JSON.parse(refused)[0] !== proposal.command_id) return;
    state.refused = null;
    note("strategies-refused", refused);
  }

  function idOf(element) {
    return element.id.charAt(0) === "{" ? JSON.parse(element.id) : element.id;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("button[id]");
    if (!button) return;
    const id = idOf(button);
    if (BUTTONS.includes(id) || id.type === "strategies-lock" || id.type === "strategies-step") note(id, 1);
  });
  document.addEventListener("input", (event) => {
    if (event.target.type === "range" && idOf(event.target).type === "strategies-slider") note(idOf(event.target), event.target.value);
  });
  document.addEventListener("change", (event) => {
    if (idOf(event.target).type === "strategies-number") note(idOf(event.target), event.target.value);
  });

  clientside.pilothouse = Object.assign({}, clientside.pilothouse, {
    /* The proposal tells what it has taken and what is in force. */
    tellDeeds: function (proposal) {
      freshen();
      state.deeds = state.deeds.filter((deed) => deed.n > proposal.taken);
      state.current = JSON.stringify(proposal.current);
      state.proposal = proposal;
      keep();
      heedRefusal();
      send();
    },
    /* What the engine refused is open again, with the reason: the refusal may come before the proposal tells that it was sent. */
    noteRefused: function (refused) {
      state.refused = refused || null;
      heedRefusal();
    },
    noteForce: function (force) {
      freshen(); // it comes with the first frame that a page gets
      if (JSON.stringify(JSON.parse(force)) !== state.current) note("strategies-force", force);
    },
  });
  mark();
})();
