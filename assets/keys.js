/* Keys: g + letter opens a page, Ctrl/Cmd K the palette, ? the list, Space plays or pauses the replay, Shift Esc stops. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const CHORD_MS = 1200;
  let chordUntil = 0;
  let matches = [];
  let active = 0;

  function isTyping(element) {
    return Boolean(element && element.closest("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable=true]"));
  }

  function isPressable(element) {
    return Boolean(element && element.closest("button, a, summary, input, [role=switch], [role=slider], [role=tab], [role=row], [role=gridcell]"));
  }

  function palette() {
    return document.getElementById("ph-palette");
  }

  function pages() {
    const box = palette();
    return box ? JSON.parse(box.dataset.pages || "[]") : [];
  }

  function toggleReplay() {
    const frame = document.getElementById("ph-app");
    if (!frame || frame.dataset.feedKind !== "REPLAY") return false;
    if (frame.dataset.feed === "paused") ph.send("ResumeReplay");
    else if (frame.dataset.feed === "running") ph.send("PauseReplay");
    return true;
  }

  function stopDialog() {
    const isHalted = document.getElementById("ph-app").dataset.halted === "true";
    ph.open(isHalted ? "ph-resume" : "ph-stop");
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      ph.open("ph-palette");
      return;
    }
    if (event.key === "Escape" && event.shiftKey) {
      event.preventDefault();
      stopDialog();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open], .modal.show")) return;
    plainKey(event);
  });

  function plainKey(event) {
    if (event.key === "?") {
      event.preventDefault();
      ph.open("ph-keys");
    } else if (event.key === " " && !isPressable(event.target)) {
      if (toggleReplay()) event.preventDefault();
    } else if (performance.now() < chordUntil) {
      chordUntil = 0;
      const page = pages().find((entry) => entry[2] === event.key.toLowerCase());
      if (page) {
        event.preventDefault();
        ph.go(page[1]);
      }
    } else if (event.key === "g") {
      chordUntil = performance.now() + CHORD_MS;
    }
  }

  // ---- palette ----------------------------------------------------------------------------------------

  function entries() {
    const box = palette();
    const listed = pages();
    const home = (listed.find((entry) => entry[0] === "Markets") || listed[0] || ["", "/"])[1];
    const symbols = JSON.parse(box.dataset.symbols || "[]").map(([symbol, name]) => ({
      title: symbol,
      detail: name,
      href: home + "?symbol=" + encodeURIComponent(symbol),
    }));
    return listed.map(([title, href, key]) => ({ title, detail: key ? "g " + key : "", href })).concat(symbols);
  }

  function rank(entry, words) {
    const title = entry.title.toLowerCase();
    if (title.startsWith(words)) return 0;
    if (title.includes(words)) return 1;
    return entry.detail.toLowerCase().includes(words) ? 2 : 3;
  }

  function search() {
    const words = field().value.trim().toLowerCase();
    matches = entries()
      .map((entry, place) => ({ entry, place, rank: words ? rank(entry, words) : 0 }))
      .filter((found) => found.rank < 3)
      .sort((a, b) => a.rank - b.rank || a.place - b.place)
      .slice(0, 12)
      .map((found) => found.entry);
    active = 0;
    draw();
  }

  function field() {
    return document.getElementById("ph-palette-input");
  }

  function draw() {
    const list = document.getElementById("ph-palette-list");
    list.replaceChildren(
      ...matches.map((entry, index) => {
        const row = document.createElement("div");
        row.className = "ph-palette-row";
        row.id = "ph-palette-row-" + index;
        row.setAttribute("role", "option");
        row.setAttribute("aria-selected", String(index === active));
        const title = document.createElement("strong");
        title.textContent = entry.title;
        const detail = document.createElement("span");
        detail.className = "ph-tx3";
        detail.textContent = entry.detail;
        row.append(title, detail);
        row.addEventListener("click", () => choose(index));
        return row;
      }),
    );
    if (!matches.length) {
      const none = document.createElement("div");
      none.className = "ph-palette-row ph-tx3";
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      none.textContent = "No page or symbol of this name";
      list.append(none);
    }
    field().setAttribute("aria-activedescendant", matches.length ? "ph-palette-row-" + active : "");
  }

  function choose(index) {
    const entry = matches[index];
    if (!entry) return;
    palette().close();
    ph.go(entry.href);
  }

  function onPaletteKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && matches.length) {
      event.preventDefault();
      active = (active + step + matches.length) % matches.length;
      draw();
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(active);
    }
  }

  function wire() {
    const box = palette();
    if (!box || box.dataset.wired) return;
    box.dataset.wired = "1";
    const input = document.createElement("input");
    input.id = "ph-palette-input";
    input.type = "text";
    input.autocomplete = "off";
    input.placeholder = "Page or symbol";
    input.setAttribute("aria-label", "Page or symbol");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-expanded", "true");
    input.setAttribute("aria-controls", "ph-palette-list");
    document.getElementById("ph-palette-field").append(input);
    input.addEventListener("input", search);
    input.addEventListener("keydown", onPaletteKey);
    box.addEventListener("ph:open", () => {
      input.value = "";
      search();
      input.focus();
    });
  }

  function start() {
    new MutationObserver(wire).observe(document.body, { childList: true, subtree: true });
    wire();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
