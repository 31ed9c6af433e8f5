/* Toasts: each opens once, goes by itself unless it stays, and stands where it covers nothing that one can press. */
(function () {
  "use strict";
  const ph = window.pilothouse || {};
  const TOAST_MS = 5000;
  const NEW_S = 10; // a notice older than this when first seen is history, not news
  const MAX_ALERTS = 2;
  const SETTLED_MS = 600; // what caused the notice has changed the page below it as well
  const PLACES = ["right", "left", "middle", "top"];
  const CONTROLS = "a[href], button, input, select, summary, [role=slider], [role=switch], [role=radio], [role=row][tabindex]";
  const IN_USE = 1000; // covering what has the focus is worse than covering all else
  let newest = -1;

  function isPhone() {
    return window.innerWidth < 768;
  }

  function open() {
    return [...document.querySelectorAll(".ph-toast[data-open]")];
  }

  function hide(toast) {
    if (toast) toast.removeAttribute("data-open");
    reserve();
  }

  function show() {
    const toasts = [...document.querySelectorAll(".ph-toast[data-seq]")];
    const seqs = toasts.map((toast) => Number(toast.dataset.seq));
    const isFirst = newest < 0;
    const skew = ph.live ? ph.live.state().skew : 0;
    const now = Date.now() / 1000 + skew;
    let isNew = false;
    toasts.forEach((toast, index) => {
      if (seqs[index] <= newest || (isFirst && now - Number(toast.dataset.at) > NEW_S)) return;
      toast.setAttribute("data-open", "");
      isNew = true;
      if (toast.dataset.stays !== "true") window.setTimeout(() => hide(toast), TOAST_MS);
    });
    newest = Math.max(newest, ...seqs);
    if (!isNew) return;
    unite();
    calm();
    place();
    window.setTimeout(place, SETTLED_MS);
  }

  /* Three steps are three answers of the same words: the newest says it. */
  function unite() {
    const said = new Set();
    open()
      .filter((toast) => toast.dataset.stays === "false" && toast.dataset.alert === "false")
      .sort((a, b) => Number(b.dataset.seq) - Number(a.dataset.seq))
      .forEach((toast) => {
        const title = (toast.querySelector("strong") || toast).textContent;
        if (said.has(title)) hide(toast);
        said.add(title);
      });
  }

  /* When the market falls, alerts come by the dozen: the newest stand here, all of them under the bell. A phone has room
     for one, of whatever kind. */
  function calm() {
    open()
      .filter((toast) => toast.dataset.stays === "false" && (isPhone() || toast.dataset.alert === "true"))
      .sort((a, b) => Number(b.dataset.seq) - Number(a.dataset.seq))
      .slice(isPhone() ? 1 : MAX_ALERTS)
      .forEach(hide);
  }

  // ---- where they stand -------------------------------------------------------------------------------

  function isOver(a, b) {
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  }

  /* What a scrolling panel hides is not there. */
  function isSeen(control, box) {
    const clip = control.closest(".ph-scroll, .ph-panel-body, .ph-main");
    return box.width > 0 && (!clip || isOver(box, clip.getBoundingClientRect()));
  }

  /* A phone is full of them: there the page is scrolled instead, and what has the focus alone counts. */
  function controls(stand) {
    return [...(isPhone() ? [document.activeElement || document.body] : document.querySelectorAll(CONTROLS))]
      .filter((control) => control.matches(CONTROLS) && !stand.contains(control))
      .map((control) => ({ box: control.getBoundingClientRect(), weight: control === document.activeElement ? IN_USE : 1, control }))
      .filter(({ control, box }) => isSeen(control, box));
  }

  /* It stays where it is as long as it may; else it goes where it covers least. */
  function place() {
    const stand = document.getElementById("ph-notices");
    if (!stand || !open().length) return reserve();
    const there = controls(stand);
    const covered = (name) => {
      stand.dataset.place = name;
      const boxes = open().map((toast) => toast.getBoundingClientRect());
      return there.reduce((sum, { box, weight }) => sum + (boxes.some((toast) => isOver(box, toast)) ? weight : 0), 0);
    };
    const names = [stand.dataset.place || PLACES[0], ...PLACES];
    let best = names[0];
    let least = Infinity;
    for (const name of names) {
      const n = covered(name);
      if (n < least) [best, least] = [name, n];
      if (!n) break;
    }
    stand.dataset.place = best;
    reserve();
  }

  /* On a phone the page can be scrolled clear of them. */
  function reserve() {
    const stand = document.getElementById("ph-notices");
    const height = stand && open().length ? stand.offsetHeight + 16 : 0;
    document.documentElement.style.setProperty("--ph-notices", height + "px");
    if (stand && !height) delete stand.dataset.place;
  }

  document.addEventListener("click", (event) => {
    const close = event.target.closest && event.target.closest("[data-ph-dismiss]");
    if (close) hide(close.closest(".ph-toast"));
  });
  document.addEventListener("focusin", () => {
    if (open().length) place();
  });
  window.addEventListener("ph:painted", () => window.setTimeout(show, 0));
})();
