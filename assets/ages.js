/* The ticking of ages: how long ago a number came, and what that makes of it. What is behind the market was decided before. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const TICK_MS = 400;

  function ageText(seconds) {
    const s = Math.max(0, seconds);
    if (s < 9.95) return s.toFixed(1) + " s";
    if (s < 59.5) return s.toFixed(0) + " s";
    const whole = Math.round(s);
    if (whole < 3600) return Math.floor(whole / 60) + " m " + String(whole % 60).padStart(2, "0") + " s";
    const minutes = Math.floor(whole / 60);
    if (whole < 86400) return Math.floor(minutes / 60) + " h " + String(minutes % 60).padStart(2, "0") + " m";
    return Math.floor(whole / 86400) + " d";
  }

  ph.ageText = ageText;

  /* A pause stops the clock of ages, not the market's: what speaks of an earlier bar is out of date all the same. */
  function ageState(seconds, budget, feed, isBehind) {
    if (feed === "paused") return isBehind ? "stale" : "paused";
    if (feed === "lost") return "lost";
    if (!budget || seconds <= budget) return "fresh";
    return seconds <= 2 * budget ? "ageing" : "stale";
  }

  function tickAges() {
    if (!ph.live) return; // the script that knows the server's clock is still on its way
    const frame = document.getElementById("ph-app");
    const isLost = document.documentElement.dataset.connection === "lost";
    const feed = isLost ? "lost" : frame ? frame.dataset.feed : "";
    const now = ph.live.serverNow();
    document.querySelectorAll("[data-received]").forEach((element) => {
      const seconds = now - Number(element.dataset.received);
      const source = element.dataset.wall === undefined || isLost ? feed : ""; // not all that is measured is the feed's
      const state = ageState(seconds, Number(element.dataset.budget), source, element.dataset.behind === "1");
      ph.setText(element, source === "paused" ? "paused" : ageText(seconds));
      if (element.dataset.age !== state) element.dataset.age = state;
      const scope = element.closest("[data-age-scope]");
      if (scope && scope.dataset.age !== state) scope.dataset.age = state;
      const host = scope && scope.dataset.ageScope && scope.closest('[data-age-of="' + scope.dataset.ageScope + '"]');
      if (host && host.dataset.itsAge !== state) host.dataset.itsAge = state;
      if (element.dataset.engineMs) {
        const tip =
          "Feed " + ageText(seconds) + " ago · engine " + element.dataset.engineMs + " ms · browser " +
          Math.round(ph.live.paintDelay()) + " ms";
        if (element.dataset.tip !== tip) element.dataset.tip = tip;
      }
    });
  }

  window.setInterval(tickAges, TICK_MS);
})();
