/* Draws blocks of plain HTML that Python sends as components. Dash would do the same through its store, at the cost of
   asking every component of the page; a block that changes with each bar is drawn here instead.

   A block is plain when it holds nothing but HTML elements without callbacks. Dash's own children stay in the host,
   hidden behind what is drawn; as soon as Dash changes them they come to the front, until the newest patch is drawn again. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});
  const HTML = "dash_html_components";
  const NAMES = { className: "class", htmlFor: "for" };
  const LEFT_OUT = new Set(["children", "n_clicks", "n_clicks_timestamp", "disable_n_clicks", "key", "setProps", "style"]);
  const UNITLESS = new Set(["opacity", "zIndex", "flex", "flexGrow", "flexShrink", "order", "fontWeight", "lineHeight", "gridRow", "gridColumn"]);

  function listOf(children) {
    if (children === null || children === undefined) return [];
    return Array.isArray(children) ? children : [children];
  }

  function isPlain(node) {
    if (node === null || typeof node !== "object") return true;
    if (Array.isArray(node)) return node.every(isPlain);
    const props = node.props || {};
    return node.namespace === HTML && typeof props.id !== "object" && isPlain(props.children);
  }

  function setStyle(element, style) {
    for (const [name, value] of Object.entries(style || {})) {
      if (value === null || value === undefined) continue;
      if (name.startsWith("--")) element.style.setProperty(name, String(value));
      else element.style[name] = typeof value === "number" && !UNITLESS.has(name) ? value + "px" : String(value);
    }
  }

  function build(node) {
    if (typeof node !== "object") return document.createTextNode(String(node));
    const element = document.createElement(node.type.toLowerCase());
    for (const [name, value] of Object.entries(node.props)) {
      if (LEFT_OUT.has(name) || value === null || value === undefined || value === false) continue;
      const attribute = NAMES[name] || (name.includes("-") ? name : name.toLowerCase());
      element.setAttribute(attribute, value === true && !name.includes("-") ? "" : String(value));
    }
    setStyle(element, node.props.style);
    element.append(...kids(node.props.children));
    return element;
  }

  function childrenOf(children) {
    return listOf(children)
      .flat(Infinity)
      .filter((child) => child !== null && child !== undefined && typeof child !== "boolean");
  }

  function kids(children) {
    return childrenOf(children).map(build);
  }

  function placeOf(host, element) {
    const path = [];
    for (let at = element; at && at !== host; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
    return path;
  }

  function elementAt(host, path) {
    return path.reduce((at, place) => at && at.children[place], host);
  }

  const DRAWN = "data-ph-drawn";
  const watched = new WeakSet();

  function isOurs(host, node) {
    let at = node;
    while (at && at.parentNode !== host) at = at.parentNode;
    return Boolean(at && at.nodeType === Node.ELEMENT_NODE && at.hasAttribute(DRAWN));
  }

  /* An age counts on behind what is drawn: that is no news of Dash's. */
  function isTicking(node) {
    const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
    return Boolean(element && element.closest("[data-received]"));
  }

  function undraw(host) {
    host.querySelectorAll(":scope > [" + DRAWN + "]").forEach((node) => node.remove());
    host.removeAttribute("data-ph-behind");
  }

  function watch(host) {
    if (watched.has(host)) return;
    watched.add(host);
    new MutationObserver((records) => {
      const isDash = records.some((record) =>
        record.target === host
          ? [...record.addedNodes].some((node) => !(node.nodeType === Node.ELEMENT_NODE && node.hasAttribute(DRAWN)))
          : record.target.isConnected && !isOurs(host, record.target) && !isTicking(record.target)
      );
      if (!isDash || !host.hasAttribute("data-ph-behind")) return;
      undraw(host);
      ph.drawAgain(host);
    }).observe(host, { childList: true, characterData: true, subtree: true });
  }

  function marked(node) {
    const element = node.nodeType === Node.ELEMENT_NODE ? node : Object.assign(document.createElement("span"), { textContent: node.nodeValue });
    element.setAttribute(DRAWN, "");
    return element;
  }

  const words = new WeakMap(); // element that was drawn -> what it was drawn from, where it has a key

  /* A child with a key that has not changed stays as it is, with what a person did to it: a toast open, a row in focus. */
  function drawInto(host, children) {
    const drawn = [...host.querySelectorAll(":scope > [" + DRAWN + "]")];
    const old = new Map(drawn.map((node) => [words.get(node), node]));
    const wanted = childrenOf(children).map((child) => {
      const text = child.props && child.props.key ? JSON.stringify(child) : "";
      const kept = text && old.get(text);
      if (kept) return kept;
      const made = marked(build(child));
      words.set(made, text);
      return made;
    });
    drawn.filter((node) => !wanted.includes(node)).forEach((node) => node.remove());
    wanted.forEach((node, place) => {
      if (host.children[place] !== node) host.insertBefore(node, host.children[place] || null);
    });
  }

  /* Returns whether it was drawn; otherwise Dash has to. The focus stays at its place. */
  ph.draw = function (host, children) {
    if (!isPlain(children)) {
      undraw(host);
      return false;
    }
    if ([...host.childNodes].some((node) => node.nodeType === Node.TEXT_NODE)) return false; // text can't be hidden
    const focused = host.contains(document.activeElement) && document.activeElement !== host;
    const path = focused ? placeOf(host, document.activeElement) : null;
    drawInto(host, children);
    host.setAttribute("data-ph-behind", "");
    watch(host);
    if (focused && host.contains(document.activeElement)) return true;
    const again = path && elementAt(host, path);
    if (again && again.focus) again.focus({ preventScroll: true });
    return true;
  };

  /* Links to pages of this program do not load the document anew. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const url = new URL(link.href, window.location.href);
    const isOther = url.origin !== window.location.origin || link.target || link.hasAttribute("download");
    if (isOther || url.hash || !link.hasAttribute("data-page-link")) return;
    event.preventDefault();
    window.history.pushState({}, "", url.pathname + url.search);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.dispatchEvent(new PopStateEvent("popstate"));
  });
})();
