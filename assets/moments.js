/* Times that run by themselves: data-ph-due counts down to a moment, data-ph-since counts up from one (epoch seconds). */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const TICK_MS = 400;

  function write(element, text) {
    const node = element.firstChild;
    if (!node) element.appendChild(document.createTextNode(text));
    else if (node.nodeValue !== text) node.nodeValue = text;
  }

  function tick() {
    const skew = ph.live ? ph.live.state().skew : 0;
    const now = Date.now() / 1000 + skew;
    document.querySelectorAll("[data-ph-due], [data-ph-since]").forEach((element) => {
      const due = element.dataset.phDue;
      const since = element.dataset.phSince;
      if (due) write(element, Number(due) > now ? ph.ageText(Number(due) - now) : "due");
      else if (since) write(element, ph.ageText(now - Number(since)));
    });
  }

  window.setInterval(tick, TICK_MS);
  window.addEventListener("ph:painted", tick);
})();
