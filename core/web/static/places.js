// Who of a browser's pages listens. Over HTTP/1.1 it has six connections to a board, and a page that
// listens holds one: so many may that the others can still be loaded and sent from; those ask now
// and then instead, until one that listens goes or is looked at no more.
const PLACES = 4;

function isManifold() {
  // One connection carries them all, or (undefined) the browser does not say.
  return /^h[23]/.test(performance.getEntriesByType("navigation")[0]?.nextHopProtocol ?? "");
}

// Calls `given` once there is a place; what it returns gives the place back, or waits no more.
globalThis.place = (given) => {
  // Without locks, on a board that is no secure context, nobody knows of the others.
  if (!navigator.locks || isManifold()) {
    given();
    return () => {};
  }
  const others = new AbortController();
  let leave;
  let isTaken = false;
  const gone = new Promise((resolve) => (leave = resolve));
  const sit = () => {
    if (isTaken) return undefined;
    isTaken = true;
    others.abort();
    given();
    return gone;
  };
  for (let n = 0; n < PLACES; n++) {
    navigator.locks.request(`listening-${n}`, { signal: others.signal }, sit).catch(() => {});
  }
  return () => {
    isTaken = true;
    others.abort();
    leave();
  };
};
