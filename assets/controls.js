/* What native elements do not do by themselves: steps, caps and words of sliders, holds, locked buttons, tooltips, the
   focus of questions, fields that follow. */
(function () {
  "use strict";
  const BIG_STEP = 5;
  const SLACK_PX = 8;
  const KEYS_UP = ["ArrowRight", "ArrowUp"];
  const KEYS_DOWN = ["ArrowLeft", "ArrowDown"];

  // ---- locked -----------------------------------------------------------------------------------------

  /* A locked control keeps its focus and its reason, and does nothing. */
  function stopLocked(event) {
    const control = event.target.closest && event.target.closest('[aria-disabled="true"]');
    if (!control) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  // ---- sliders ----------------------------------------------------------------------------------------

  const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;

  function put(input, value) {
    setValue.call(input, String(value));
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function upper(input) {
    const cap = input.parentElement.dataset.cap;
    return cap === undefined ? Number(input.max) : Math.min(Number(cap), Number(input.max));
  }

  function drawSlider(input) {
    const slider = input.parentElement;
    const low = Number(input.min);
    const extent = Number(input.max) - low;
    const value = Number(input.value);
    const place = (extent ? (value - low) / extent : 0).toFixed(4);
    if (slider.style.getPropertyValue("--ph-v") !== place) slider.style.setProperty("--ph-v", place);
    const unit = slider.dataset.unit || "";
    const words = [value + unit];
    if (slider.dataset.current !== undefined) words.push("current " + slider.dataset.current + unit);
    if (slider.dataset.cap !== undefined) words.push("cap " + slider.dataset.cap + unit);
    const spoken = words.join(", ");
    if (input.getAttribute("aria-valuetext") !== spoken) input.setAttribute("aria-valuetext", spoken);
  }

  function drawSliders() {
    document.querySelectorAll(".ph-slider > .ph-range").forEach(drawSlider);
  }

  function isRange(element) {
    return element.matches && element.matches(".ph-slider > .ph-range");
  }

  /* In the capture phase: a value past the cap never reaches a callback. */
  function capSlider(event) {
    if (!isRange(event.target)) return;
    const most = upper(event.target);
    if (Number(event.target.value) > most) setValue.call(event.target, String(most));
    drawSlider(event.target);
  }

  function stepSlider(event) {
    if (!isRange(event.target) || !event.shiftKey) return;
    const direction = KEYS_UP.includes(event.key) ? 1 : KEYS_DOWN.includes(event.key) ? -1 : 0;
    if (!direction) return;
    event.preventDefault();
    const step = BIG_STEP * Number(event.target.step || 1);
    const next = Number(event.target.value) + direction * step;
    put(event.target, Math.max(Number(event.target.min), Math.min(upper(event.target), next)));
  }

  // ---- hold to confirm --------------------------------------------------------------------------------

  let held = null;

  function beginHold(button, press) {
    endHold();
    const total = Number(button.dataset.hold);
    const begun = performance.now();
    const label = button.querySelector(".ph-hold-label");
    const words = label.textContent;
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    button.classList.add("ph-holding");
    const timer = window.setInterval(() => {
      const left = total - (performance.now() - begun);
      if (still) label.textContent = words + ", " + Math.max(0, left / 1000).toFixed(1) + " s";
      if (left > 0) return;
      endHold();
      button.dataset.held = "true";
      button.click();
      delete button.dataset.held;
    }, 50);
    held = { button, timer, label, words, press };
  }

  /* A hand that leaves lets go; a dialog that grows under a hand that stays does not. */
  function leaveHold(event) {
    if (!held || !held.press || held.button.contains(event.target)) return;
    const [x, y] = held.press;
    if (Math.hypot(event.clientX - x, event.clientY - y) > SLACK_PX) endHold();
  }

  function endHold() {
    if (!held) return;
    window.clearInterval(held.timer);
    held.button.classList.remove("ph-holding");
    held.label.textContent = held.words;
    held = null;
  }

  function holdTarget(event) {
    const button = event.target.closest && event.target.closest("[data-hold]");
    return button && button.getAttribute("aria-disabled") !== "true" ? button : null;
  }

  /* A plain click, and the click that a browser makes of Enter, act on nothing. */
  function stopShortClick(event) {
    const button = event.target.closest && event.target.closest("[data-hold]");
    if (!button || button.dataset.held === "true") return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  // ---- tooltip ----------------------------------------------------------------------------------------

  let tip = null;
  let tipOf = null;

  function showTip(target) {
    const words = target.dataset.tip;
    if (!words) return;
    if (!tip) {
      tip = document.createElement("div");
      tip.className = "ph-tip";
      tip.setAttribute("role", "tooltip");
    }
    (target.closest("dialog[open]") || document.body).appendChild(tip);
    tip.textContent = words;
    tip.hidden = false;
    tipOf = target;
    const place = target.getBoundingClientRect();
    const size = tip.getBoundingClientRect();
    const isBelow = place.bottom + 6 + size.height < window.innerHeight;
    const left = Math.min(window.innerWidth - size.width - 8, place.left + place.width / 2 - size.width / 2);
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = (isBelow ? place.bottom + 6 : place.top - size.height - 6) + "px";
  }

  function hideTip() {
    if (tip) tip.hidden = true;
    tipOf = null;
  }

  function overTip(event) {
    const target = event.target.closest && event.target.closest("[data-tip]");
    if (target === tipOf) return;
    hideTip();
    if (target) showTip(target);
  }

  // ---- questions and fields that follow -----------------------------------------------------------------

  /* A question that opens takes the focus to what does nothing; Escape presses that, and the focus goes back. */
  function askFirst() {
    document.querySelectorAll("[data-ask]").forEach((ask) => {
      const isOpen = !ask.hidden;
      if (isOpen && !ask.phOpen) document.getElementById(ask.dataset.ask).focus();
      const isLeft = document.activeElement === document.body || ask.contains(document.activeElement);
      if (!isOpen && ask.phOpen && isLeft) document.getElementById(ask.dataset.askFrom).focus();
      ask.phOpen = isOpen;
    });
  }

  function escapeQuestion() {
    document.querySelectorAll("[data-ask]:not([hidden])").forEach((ask) => document.getElementById(ask.dataset.ask).click());
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});

  /* Another value than the question is about takes it back, and so does Cancel. */
  function hideQuestion(value, _cancelled, title) {
    const isCancel = clientside.callback_context.triggered.some((one) => one.prop_id.endsWith(".n_clicks"));
    return isCancel || !(title || "").endsWith(" " + (value || "").trim()) ? true : clientside.no_update;
  }

  clientside.pilothouse = Object.assign({}, clientside.pilothouse, { hideQuestion });

  /* A field follows what the engine says as long as nobody writes in it. */
  function follow() {
    document.querySelectorAll("[data-follow]").forEach((box) => {
      const input = box.querySelector("input");
      const next = box.dataset.follow;
      if (!input || (input === document.activeElement && (box.phTyping || input.value))) return;
      if (box.phWritten && input.value) return;
      box.phWritten = false;
      if (input.value !== next) window.dash_clientside.set_props(input.id, { value: next });
    });
  }

  function typing(event) {
    const box = event.target.closest && event.target.closest("[data-follow]");
    if (!box) return;
    box.phTyping = event.type === "input" && event.isTrusted;
    if (event.type === "input") box.phWritten = true; // also where it is the day that was followed
  }

  // ---- start ------------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-ph-clear]");
    if (!button) return;
    clientside.set_props(button.dataset.phClear, { value: "" });
    document.getElementById(button.dataset.phClear).focus();
  });
  document.addEventListener("click", stopLocked, true);
  document.addEventListener("click", stopShortClick, true);
  document.addEventListener("input", capSlider, true);
  document.addEventListener("keydown", stepSlider);
  document.addEventListener("pointerdown", (event) => {
    const button = event.button === 0 ? holdTarget(event) : null;
    if (button) beginHold(button, [event.clientX, event.clientY]);
  });
  ["pointerup", "pointercancel", "blur"].forEach((name) => window.addEventListener(name, endHold));
  document.addEventListener("pointermove", leaveHold);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      endHold();
      hideTip();
      escapeQuestion();
    }
    const button = event.key === " " && !event.repeat ? holdTarget(event) : null;
    if (button) beginHold(button, null);
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") endHold();
  });
  document.addEventListener("focusout", (event) => {
    if (held && held.button === event.target) endHold(); // what had the focus before the press loses it too
  });
  document.addEventListener("pointerover", overTip);
  document.addEventListener("focusin", overTip);
  document.addEventListener("scroll", hideTip, true);

  window.addEventListener("ph:painted", follow);
  ["input", "change", "focusout"].forEach((name) => document.addEventListener(name, typing));
  document.addEventListener("keydown", (event) => event.key === "Enter" && typing(event));

  let waiting = false;
  new MutationObserver(() => {
    if (tipOf && !tipOf.isConnected) hideTip();
    if (waiting) return;
    waiting = true;
    window.requestAnimationFrame(() => {
      waiting = false;
      drawSliders();
      askFirst();
    });
  }).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["value", "data-cap", "data-current", "hidden"],
  });
})();
