/* Dash 4.4 lets every component that mounts reset its own state, and tells every other component of it, also when there
   was nothing to reset: a page of a thousand components then takes seconds to open. What would change nothing is left
   out here, before anybody is told. And what an answer of the server has changed is passed on to who drew there. */
(function () {
  "use strict";
  const ph = (window.pilothouse = window.pilothouse || {});

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

  /* Tells which components an answer of the server has changed, by their ids; Dash notes every change by its path. */
  function listen(store) {
    let known = {};
    store.subscribe(() => {
      const { layoutHashes: now = {}, layout } = store.getState();
      if (now === known) return;
      const before = known;
      known = now;
      for (const [path, change] of Object.entries(now)) {
        if (change === before[path] || change.renderType !== "callback" || !ph.answered) continue;
        const changed = path.split(",").reduce((at, key) => at && at[key], layout);
        ph.answered(changed && changed.props && changed.props.id);
      }
    });
  }

  const stores = (window.dash_stores = window.dash_stores || []);
  const take = (store) => [lean, listen].forEach((use) => use(store));
  stores.forEach(take);
  stores.push = function (...added) {
    added.forEach(take);
    return Array.prototype.push.apply(this, added);
  };
})();
