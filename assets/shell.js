/* Dialogs and buttons of the frame: opening, closing, giving the focus back, sending an intent once. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const APART_MS = 60;

  // ---- dialogs ----------------------------------------------------------------------------------------

  ph.open = function (id) {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return null;
    document.querySelectorAll("dialog[open]").forEach((other) => other.close());
    dialog.showModal(); // keeps the focus inside; closing gives it back to what had it
    const first = dialog.querySelector("[data-ph-focus]");
    if (first) first.focus();
    dialog.dispatchEvent(new CustomEvent("ph:open"));
    if (ph.look) ph.look();
    return dialog;
  };

  ph.close = function (element) {
    const dialog = element && element.closest("dialog[open]");
    if (dialog) dialog.close();
  };

  // ---- intents ----------------------------------------------------------------------------------------

  function newId() {
    const bytes = window.crypto.getRandomValues(new Uint8Array(12));
    return "ui-" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  const RECENT_MS = 2000;
  let actedAt = -RECENT_MS;
  for (const kind of ["pointerdown", "keydown", "input", "change"]) {
    document.addEventListener(kind, (event) => event.isTrusted && (actedAt = performance.now()), true);
  }

  /* What a person does goes to the server as a request of Dash's; when none gets there, nothing else would say so. What
     the page asks by itself is asked again. */
  const plainFetch = window.fetch.bind(window);
  window.fetch = function (resource, options) {
    const address = typeof resource === "string" ? resource : resource.url;
    const isWish = performance.now() - actedAt < RECENT_MS && address.includes("_dash-update-component");
    return plainFetch(resource, options).catch((error) => {
      if (isWish) say("Not sent: no connection to the server. Do it again once it is back.");
      throw error;
    });
  };

  function say(words) {
    const place = document.getElementById("ph-not-sent");
    if (place && place.textContent !== words) place.textContent = words;
  }

  ph.found = () => say("");

  let nextSend = 0;

  /* Dash makes one request of two changes that come together: each wish has a moment of its own. */
  ph.send = function (name, params) {
    const intent = { command_id: newId(), name, params: params || {} };
    const pass = () => window.dash_clientside.set_props("ph-intent", { data: intent });
    const wait = nextSend - performance.now();
    nextSend = performance.now() + Math.max(0, wait) + APART_MS;
    if (wait > 0) window.setTimeout(pass, wait);
    else pass();
  };

  /* A double click is one wish, also where the first half has turned Pause into Play already; not where each click of the
     button is one. */
  function act(button, isSecondHalf) {
    const wish = button.dataset.phIntent;
    if (button.getAttribute("aria-disabled") === "true") return;
    const isOneWish = button.dataset.phRepeats === undefined;
    if (isOneWish && button.dataset.phSent && (isSecondHalf || button.dataset.phSent === wish)) return;
    button.dataset.phSent = wish;
    window.setTimeout(() => {
      if (button.dataset.phSent === wish) delete button.dataset.phSent;
    }, 600);
    const intent = JSON.parse(wish);
    ph.send(intent.name, intent.params);
  }

  ph.go = function (href) {
    window.history.pushState({}, "", href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  };

  document.addEventListener("click", (event) => {
    const target = event.target.closest ? event.target : null;
    if (!target) return;
    const opener = target.closest("[data-ph-open]");
    if (opener) ph.open(opener.dataset.phOpen);
    if (target.closest("[data-ph-close]")) ph.close(target);
    if (target.closest("[data-ph-reload]")) window.location.reload();
    const intent = target.closest("[data-ph-intent]");
    if (intent) act(intent, event.detail > 1);
    if (target.closest("dialog a")) ph.close(target);
    if (target.tagName === "DIALOG") onBackdrop(target, event);
  });

  function onBackdrop(dialog, event) {
    const box = dialog.getBoundingClientRect();
    const isInside =
      event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!isInside && (event.clientX || event.clientY)) dialog.close();
  }

  /* A hold that was completed arrives as a click (controls.js); an answer without words means that it was sent. */
  function closeAfterHold() {
    for (const [id, dialog] of [["ph-stop-hold", "ph-stop"], ["ph-resume-hold", "ph-resume"]]) {
      const button = document.getElementById(id);
      if (!button || button.dataset.phWired) continue;
      button.dataset.phWired = "1";
      button.addEventListener("click", () => {
        window.setTimeout(() => ph.close(document.getElementById(dialog)), 150);
        window.setTimeout(keepFocus, 800);
      });
    }
  }

  /* The button that opened the dialog hides when trading is halted; the focus goes to the one in its place. */
  function keepFocus() {
    if (document.activeElement && document.activeElement !== document.body) return;
    const openers = document.querySelectorAll('[data-ph-open="ph-resume"], [data-ph-open="ph-stop"]');
    const visible = [...openers].find((button) => button.offsetParent);
    if (visible) visible.focus();
  }

  function start() {
    new MutationObserver(() => {
      closeAfterHold();
      if (ph.labelTheme) ph.labelTheme();
    }).observe(document.body, { childList: true, subtree: true });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
