/* Lists one chooses from: a press on data-ph-choose writes its value into a store, arrows move from row to row,
   "/" goes to the search. data-ph-here keeps the address in step with what is shown, without loading it anew. */
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
    const chosen = target && target.closest("[data-ph-choose]");
    if (chosen) window.dash_clientside.set_props(chosen.dataset.phChoose, { data: chosen.dataset.phValue });
    const shower = target && target.closest("[data-ph-show]");
    if (shower) window.setTimeout(() => show(shower.dataset.phShow), 150);
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
    const rows = [...list.querySelectorAll("[data-ph-choose]")];
    const next = rows[rows.indexOf(document.activeElement) + STEPS[event.key]];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });

  new MutationObserver((changes) => {
    for (const change of changes) {
      const here = change.target.dataset.phHere;
      if (here && here !== window.location.pathname + window.location.search)
        window.history.replaceState(window.history.state, "", here);
    }
  }).observe(document.documentElement, { subtree: true, attributes: true, attributeFilter: ["data-ph-here"] });
})();
