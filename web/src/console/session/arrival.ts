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

let taken: string | null | undefined;

/** "ok", "link", "confirm", or the code of a refusal; null when nobody comes from elsewhere. Read from the address once. */
export function arrival(): string | null {
  if (taken === undefined) taken = take();
  return taken;
}

export function refusalAtArrival(): string | null {
  const said = arrival();
  return said !== null && !["ok", "link", "confirm"].includes(said) ? said : null;
}
