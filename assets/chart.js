/* Fills each chart from its store. Colours are tokens until live.js has put in the values of the theme in force. */
(function () {
  "use strict";
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.pilothouse = Object.assign({}, clientside.pilothouse, {
    drawFigure(figure) {
      if (!figure) {
        return clientside.no_update;
      }
      return window.pilothouse.resolveFigure(figure, document.documentElement);
    },
  });
})();
