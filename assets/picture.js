/* Saves a chart as it stands on the screen: what Plotly has drawn, the open bar over it, and a line that says of what, of
   when and of which feed it is: a picture travels without the screen around it. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const SCALE = 2;
  const LINE_HEIGHT = 28;
  const LINE_INSET = 12;
  const LOOKS = ["visibility", "fill", "stroke", "stroke-width", "stroke-dasharray", "opacity"];

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--ph-" + name).trim();
  }

  function words(element) {
    return element ? element.textContent.trim() : "";
  }

  /* "AAPL · 1D · 13 Apr 2009 · REPLAY daily bars ×12 · PAPER", with level and what-if of a forecast, from what the screen says at this moment. */
  function lineOf(chart, name) {
    const panel = chart.closest(".ph-panel") || document;
    const [kind, label, speed, date, mode] = ["feed-kind", "feed-label", "feed-speed", "date", "mode"].map((id) => words(document.getElementById("ph-" + id)));
    const chosen = panel.querySelector("input[type=radio]:checked");
    const resolution = chosen && chosen.labels ? words(chosen.labels[0]) : "";
    const feed = [kind, label, speed].filter(Boolean).join(" ");
    const level = words(panel.querySelector("#forecast-level-name"));
    const whatIf = chart.closest('[data-what-if="yes"]') ? "what-if, not stored" : "";
    return [name.replace(/-forecast$/, " forecast"), level, whatIf, resolution, date, feed, mode].filter(Boolean).join(" · ");
  }

  function plotted(chart, box) {
    const background = colour("s1");
    const layout = Object.assign({}, chart.layout, { paper_bgcolor: background, plot_bgcolor: background });
    return window.Plotly.toImage({ data: chart.data, layout }, { format: "png", scale: SCALE, width: box.width, height: box.height });
  }

  /* The layer with its looks written into it, since the page's styles don't reach a picture; its words are drawn apart,
     since the page's fonts don't either. */
  function frozen(layer) {
    const copy = layer.cloneNode(true);
    const [shown, frozen] = [layer, copy].map((root) => [root, ...root.querySelectorAll("*")]);
    shown.forEach((element, i) => {
      const style = getComputedStyle(element);
      LOOKS.forEach((name) => frozen[i].style.setProperty(name, style.getPropertyValue(name)));
    });
    copy.querySelectorAll("text").forEach((text) => text.remove());
    return "data:image/svg+xml," + encodeURIComponent(new XMLSerializer().serializeToString(copy));
  }

  function tagOf(layer) {
    const text = layer.querySelector("text");
    if (!text || text.style.display === "none") return null;
    const style = getComputedStyle(text);
    return {
      words: text.textContent, x: Number(text.getAttribute("x")), y: Number(text.getAttribute("y")),
      fill: style.fill, font: [style.fontWeight, style.fontSize, style.fontFamily].join(" "),
    };
  }

  function loaded(source) {
    const image = new Image();
    image.src = source;
    return image.decode().then(() => image);
  }

  function write(context, { words: text, x, y, fill, font }, width) {
    Object.assign(context, { fillStyle: fill, font, textBaseline: "middle" });
    context.fillText(text, x, y, width);
  }

  async function composed(chart, name) {
    const box = chart.getBoundingClientRect();
    const layer = ph.openBarLayer(chart);
    const [open, tag] = layer ? [frozen(layer), tagOf(layer)] : [null, null]; // now: the next tick moves it
    const line = {
      words: lineOf(chart, name), x: LINE_INSET, y: LINE_HEIGHT / 2, fill: colour("tx"),
      font: "600 12px " + getComputedStyle(document.body).fontFamily,
    };
    const images = await Promise.all([plotted(chart, box).then(loaded), ...(open ? [loaded(open)] : [])]);
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: box.width * SCALE, height: (box.height + LINE_HEIGHT) * SCALE });
    const context = canvas.getContext("2d");
    context.scale(SCALE, SCALE);
    context.fillStyle = colour("s1");
    context.fillRect(0, 0, box.width, box.height + LINE_HEIGHT);
    write(context, line, box.width - 2 * LINE_INSET);
    context.translate(0, LINE_HEIGHT);
    images.forEach((image) => context.drawImage(image, 0, 0, box.width, box.height));
    if (tag) write(context, tag);
    return canvas;
  }

  ph.savePicture = async function (chart, name) {
    const canvas = await composed(chart, name);
    const link = document.createElement("a");
    canvas.toBlob((blob) => {
      Object.assign(link, { href: URL.createObjectURL(blob), download: name + ".png" });
      link.click();
      window.setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }, "image/png");
  };
})();
