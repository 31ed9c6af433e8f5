/* Lists one chooses from: a press on data-ph-value writes it into the store that data-ph-choose names around it, arrows
   move from row to row, "/" goes to the search. data-ph-here keeps the address in step with what is shown, without loading it anew. */
(function () {
  "use strict";
  const STEPS = { ArrowDown: 1, ArrowUp: -1 };

  function isTyping(element) {
    return Boolean(element && element.closest("input, textarea, select, [contenteditable=true]"));
  }

  /* On a phone what was chosen stands far below. */
  function show(id) {
    const element = document.getElementById(id);
    if (!element) return;
    const box = element.getBoundingClientRect();
    if (box.top > window.innerHeight - 120 || box.bottom < 60) element.scrollIntoView({ block: "start" });
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest ? event.target : null;
    const chosen = target && target.closest("button[data-ph-value], button[data-ph-show]");
    if (!chosen) return;
    const list = chosen.closest("[data-ph-choose]");
    if (list && chosen.dataset.phValue) {
      list.dataset.phMarked = chosen.dataset.phValue;
      window.dash_clientside.set_props(list.dataset.phChoose, { data: chosen.dataset.phValue });
    }
    const place = chosen.closest("[data-ph-show]");
    if (place) window.setTimeout(() => show(place.dataset.phShow), 150);
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "/" && !isTyping(event.target)) {
      const field = document.querySelector("[data-ph-slash] input");
      if (!field) return;
      event.preventDefault();
      field.focus();
      field.select();
    }
    const list = STEPS[event.key] && event.target.closest("[data-ph-arrows]");
    if (!list) return;
    const rows = [...list.querySelectorAll("button[data-ph-value]")];
    const next = rows[rows.indexOf(document.activeElement) + STEPS[event.key]];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });

  /* Escape closes what stands beside a list, and the focus goes back to the row. */
  document.addEventListener("keydown", (event) => {
    const place = event.key === "Escape" && !event.shiftKey && document.querySelector("[data-ph-escape] button");
    if (!place || event.defaultPrevented || document.querySelector("dialog[open], [data-ask]:not([hidden])")) return;
    if (isTyping(event.target)) {
      event.target.blur();
      return;
    }
    place.click();
  });

  document.addEventListener("click", (event) => {
    const beside = event.target.closest && event.target.closest("[data-ph-escape] button");
    const row = beside && document.getElementById(beside.parentElement.dataset.phEscape);
    if (row) row.focus({ preventScroll: true });
  });

  new MutationObserver((changes) => {
    for (const change of changes) {
      const here = change.target.dataset.phHere;
      if (here && here !== window.location.pathname + window.location.search)
        window.history.replaceState(window.history.state, "", here);
    }
  }).observe(document.documentElement, { subtree: true, attributes: true, attributeFilter: ["data-ph-here"] });
})();
