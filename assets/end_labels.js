/* Words inside a price chart (the fan's ends, "now") stand while they have a place of their own: not over the prices of
   the axis, not over each other. A hand that moves the chart may push them anywhere. */
(function () {
  "use strict";
  const GAP = 4; // from the plot to the words of its axis, which start there
  const watched = new WeakSet();

  /* The median first, then from the outermost inwards. */
  function inOrder(labels) {
    const middle = labels.find((label) => label.isBold);
    const from = middle ? middle.box.top : 0;
    return labels.sort((a, b) => b.isBold - a.isBold || Math.abs(b.box.top - from) - Math.abs(a.box.top - from));
  }

  function isOver(a, b) {
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  }

  function tidy(chart) {
    const full = chart._fullLayout;
    if (!full || !full.xaxis || !full.xaxis._length) return;
    const right = chart.getBoundingClientRect().left + full.xaxis._offset + full.xaxis._length + GAP;
    const placed = [];
    const labels = [...chart.querySelectorAll(".annotation")].map((element) => ({
      element, box: element.getBoundingClientRect(), isBold: Boolean(element.querySelector("[style*='bold']")),
    }));
    for (const { element, box } of inOrder(labels)) {
      const isFree = box.right <= right && !placed.some((other) => isOver(box, other));
      element.style.visibility = isFree ? "" : "hidden";
      if (isFree) placed.push(box);
    }
  }

  function watch() {
    document.querySelectorAll("#ph-page .ph-price .js-plotly-plot").forEach((chart) => {
      if (watched.has(chart) || !chart.on) return;
      watched.add(chart);
      for (const event of ["plotly_afterplot", "plotly_relayouting", "plotly_relayout"]) chart.on(event, () => tidy(chart));
      tidy(chart);
    });
  }

  window.addEventListener("ph:painted", watch);
})();
