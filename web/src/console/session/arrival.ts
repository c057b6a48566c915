/** What came of a login elsewhere: the server sends the browser back with `?signin=…`. */

export const entered = "vigie.entered";

function take(): string | null {
  const url = new URL(location.href);
  const said = url.searchParams.get("signin");
  if (said === null) return null;
  // Not for a reload, nor for the colleague whom the address is sent to.
  url.searchParams.delete("signin");
  history.replaceState(history.state, "", url);
  if (said === "ok") localStorage.setItem(entered, "1");
  return said;
}

/** "ok", "link", "confirm", or the code of a refusal; null when nobody comes from elsewhere. */
export const arrival = take();
export const refusedAtArrival = arrival !== null && !["ok", "link", "confirm"].includes(arrival) ? arrival : null;
