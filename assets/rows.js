/* Long lists that change often: data-ph-rows holds them as data, this draws them as plain text. A component for every
   cell would cost the browser more than all the rest of a page. Meaning and words come from Python.

   A row is [class, value, [[class, text, data], …]], where data may name data attributes of the cell; with a value its first cell is a button that carries it
   (of a host that is marked plain the value only says which row it is). A row of one
   cell spans the list. The host is a tbody (rows and cells of a table) or a list (items and spans). */
(function () {
  "use strict";

  function make(tag, names, text) {
    const element = document.createElement(tag);
    if (names) element.className = names;
    if (text) element.textContent = text;
    return element;
  }

  function cellOf(host, place, count, [names, text, data], value) {
    const isTable = host.tagName === "TBODY";
    const isHead = isTable && place === 0 && count > 1;
    const cell = make(isHead ? "th" : isTable ? "td" : "span", names);
    if (isHead) cell.scope = "row";
    Object.assign(cell.dataset, data || {}); // for example what to count down to
    if (isTable && count === 1) cell.colSpan = Number(host.dataset.phSpan || 1);
    if (place === 0 && value && host.dataset.phPlain === undefined) {
      const button = make("button", "ph-j-open ph-mono", text);
      button.type = "button";
      button.dataset.phValue = value;
      cell.append(button);
    } else if (count === 1) {
      cell.append(make("span", "", text));
    } else {
      cell.textContent = text;
      if (text.length > 40) cell.title = text;
    }
    return cell;
  }

  function rowOf(host, [names, value, cells]) {
    const row = make(host.tagName === "TBODY" ? "tr" : "li", names);
    row.append(...cells.map((cell, place) => cellOf(host, place, cells.length, cell, value)));
    return row;
  }

  /* The focus stays on the event that has it, as long as that is listed. */
  function draw(host) {
    const words = host.dataset.phRows;
    if (host.phDrawn === words) return;
    host.phDrawn = words;
    const focused = host.contains(document.activeElement) ? document.activeElement.dataset.phValue : "";
    host.replaceChildren(...JSON.parse(words || "[]").map((row) => rowOf(host, row)));
    const again = focused && host.querySelector('[data-ph-value="' + CSS.escape(focused) + '"]');
    if (again) again.focus({ preventScroll: true });
    const scroll = host.closest(".ph-j-scroll");
    if (scroll) scroll.toggleAttribute("data-ph-empty", Boolean(host.querySelector(".ph-j-none")));
    mark(host);
  }

  /* The row of the chosen value stands out, also after the list was drawn anew. */
  function mark(host) {
    const root = host.closest("[data-ph-choose]");
    const marked = root ? root.dataset.phMarked : "";
    host.querySelectorAll("button[data-ph-value]").forEach((button) => {
      const isMarked = Boolean(marked) && button.dataset.phValue === marked;
      button.closest("tr, li").classList.toggle("ph-selected", isMarked);
      if (isMarked) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
  }

  /* What came later stands above what was given, which stays: only the newest of all kinds are ever sent again. */
  function put(host) {
    const words = host.dataset.phNewer;
    if (host.phPut === words) return;
    host.phPut = words;
    const before = JSON.parse(host.dataset.phRows || "[]");
    const first = before.find(([, value]) => value); // rows without a value are days, or say that there is none
    const newest = first ? Number(first[1]) : -1;
    const sent = JSON.parse(words);
    const known = sent.findIndex(([, value]) => value && Number(value) <= newest);
    const later = known < 0 ? sent : sent.slice(0, known);
    if (!later.some(([, value]) => value)) return;
    const isDay = ([, value]) => !value;
    const lastDay = later.findLast(isDay);
    if (first && lastDay && isDay(before[0]) && before[0][2][0][1] === lastDay[2][0][1]) before.shift();
    host.dataset.phRows = JSON.stringify([...later, ...(first ? before : [])].slice(0, Number(host.dataset.phMost)));
  }

  function drawAll() {
    document.querySelectorAll("[data-ph-newer]").forEach(put);
    document.querySelectorAll("[data-ph-rows]").forEach(draw);
  }

  function start() {
    new MutationObserver(drawAll).observe(document.body, {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: ["data-ph-rows", "data-ph-newer"],
    });
    new MutationObserver(() => document.querySelectorAll("[data-ph-rows]").forEach(mark)).observe(document.body, {
      subtree: true,
      attributes: true,
      attributeFilter: ["data-ph-marked"],
    });
    drawAll();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
