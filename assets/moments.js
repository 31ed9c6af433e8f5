/* Times that run by themselves: data-ph-due counts down to a moment, data-ph-since counts up from one (epoch seconds). */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const TICK_MS = 400;

  function words(seconds) {
    if (seconds < 9.95) return seconds.toFixed(1) + " s";
    if (seconds < 59.5) return seconds.toFixed(0) + " s";
    const whole = Math.round(seconds);
    if (whole < 3600) return Math.floor(whole / 60) + " m " + String(whole % 60).padStart(2, "0") + " s";
    const minutes = Math.floor(whole / 60);
    if (whole < 86400) return Math.floor(minutes / 60) + " h " + String(minutes % 60).padStart(2, "0") + " m";
    return Math.floor(whole / 86400) + " d";
  }

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
      if (due) write(element, Number(due) > now ? words(Number(due) - now) : "due");
      else if (since) write(element, words(Math.max(0, now - Number(since))));
    });
  }

  window.setInterval(tick, TICK_MS);
  window.addEventListener("ph:painted", tick);
})();
