/* Times that run by themselves: data-ph-due counts down to a moment (data-ph-before stands before the time, data-ph-over is
   said when it is over), data-ph-since counts up from one (epoch seconds),
   with data-ph-whole in whole seconds. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const TICK_MS = 400;

  function write(element, text) {
    const node = element.firstChild;
    if (!node) element.appendChild(document.createTextNode(text));
    else if (node.nodeValue !== text) node.nodeValue = text;
  }

  /* What is told once a second is not known to a tenth. */
  function ageOf(element, seconds) {
    if (!("phWhole" in element.dataset)) return ph.ageText(seconds);
    return seconds < 2 ? "<2 s" : ph.ageText(seconds < 10 ? Math.round(seconds) : seconds).replace(".0", "");
  }

  function before(element) {
    return element.dataset.phBefore || "";
  }

  function tick() {
    const skew = ph.live ? ph.live.state().skew : 0;
    const now = Date.now() / 1000 + skew;
    document.querySelectorAll("[data-ph-due], [data-ph-since]").forEach((element) => {
      const due = element.dataset.phDue;
      const since = element.dataset.phSince;
      if (due) write(element, Number(due) > now ? before(element) + ph.ageText(Number(due) - now) : element.dataset.phOver || "due");
      else if (since) write(element, ageOf(element, now - Number(since)));
    });
  }

  window.setInterval(tick, TICK_MS);
  window.addEventListener("ph:painted", tick);
})();
