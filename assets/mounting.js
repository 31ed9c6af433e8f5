/* Dash 4.4 lets every component that mounts reset its own state, and tells every other component of it, also when there
   was nothing to reset: a page of a thousand components then takes seconds to open. What would change nothing is left
   out here, before anybody is told. */
(function () {
  "use strict";

  function changesNothing(store, action) {
    if (!action || action.type !== "RESET_COMPONENT_STATE" || !Array.isArray(action.payload && action.payload.itempath)) return false;
    const path = action.payload.itempath.join(",");
    const hashes = store.getState().layoutHashes || {};
    return !Object.keys(hashes).some((key) => key.startsWith(path));
  }

  function lean(store) {
    const dispatch = store.dispatch;
    store.dispatch = (action) => (changesNothing(store, action) ? action : dispatch(action));
  }

  const stores = (window.dash_stores = window.dash_stores || []);
  stores.forEach(lean);
  stores.push = function (...added) {
    added.forEach(lean);
    return Array.prototype.push.apply(this, added);
  };
})();
