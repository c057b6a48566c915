/** What of a list is in its address: filter and order as parameters, the object that is open as the path's end. */

export interface ListState {
  filter: string;
  /** A field's name, with `-` before it for the largest first; empty: the server's own order. */
  sort: string;
}

export function readState(search: string, initialSort = ""): ListState {
  const given = new URLSearchParams(search);
  return { filter: (given.get("filter") ?? "").trim(), sort: given.get("sort") ?? initialSort };
}

/** The search part of the address; what others keep there stays, what is as usual is left out. */
export function writeState(search: string, state: ListState, initialSort = ""): string {
  const given = new URLSearchParams(search);
  if (state.filter) given.set("filter", state.filter);
  else given.delete("filter");
  if (state.sort && state.sort !== initialSort) given.set("sort", state.sort);
  else given.delete("sort");
  const text = given.toString();
  return text ? `?${text}` : "";
}

/** The object that an address below the desk's names: `/commands/17` → `17`. */
export function objectIn(desk: string, path: string): string | null {
  if (!path.startsWith(`${desk}/`)) return null;
  const rest = path.slice(desk.length + 1);
  if (rest === "" || rest.includes("/")) return null;
  try {
    return decodeURIComponent(rest);
  } catch {
    return null;
  }
}

export const addressOf = (desk: string, id: string): string => `${desk}/${encodeURIComponent(id)}`;

/** What a press on a column's head asks for: rising, then falling. */
export function nextSort(sort: string, field: string): string {
  return sort === field ? `-${field}` : field;
}

export function directionOf(sort: string, field: string): "ascending" | "descending" | "none" {
  if (sort === field) return "ascending";
  return sort === `-${field}` ? "descending" : "none";
}
