/** The windows of one operator: torn-off panels, and posts that bring several back. */
import { useEffect } from "react";
import { useSession } from "../session/session";
import { type WindowState, joinWindows, useLink } from "../state/bus";
import { type Panel, useDesk } from "../state/desk";
import { useTime } from "../state/time";
import { showBox, viewBox } from "../map/controller";

const panelWidth = 460;

/** A panel in a window of its own; it leaves this one when the browser let the window open. */
export function tearOff({ kind, id }: Panel): void {
  const opened = window.open(
    `/window/${encodeURIComponent(kind)}/${encodeURIComponent(String(id ?? ""))}`, `vigie-${kind}-${id ?? ""}`,
    `popup,width=${panelWidth},height=${Math.min(900, screen.availHeight)},left=${window.screenX + window.outerWidth - panelWidth},top=${window.screenY + 40}`,
  );
  if (opened) useDesk.getState().closePanel({ kind, ...(id === undefined ? {} : { id }) });
}

/** The panel that a torn-off window is for; null for any other address. */
export function panelInAddress(path: string): Panel | null {
  const found = /^\/window\/([^/]+)\/([^/]*)$/.exec(path);
  if (!found?.[1]) return null;
  return { kind: decodeURIComponent(found[1]), id: decodeURIComponent(found[2] ?? "") };
}

export function windowState(): WindowState {
  const { panels, filter, drawer, sideBySide } = useDesk.getState();
  return {
    path: location.pathname + location.search,
    left: window.screenX, top: window.screenY, width: window.outerWidth, height: window.outerHeight,
    panels: panels.filter(({ kind }) => kind !== "selection"),
    filter, drawer, sideBySide, range: useTime.getState().chosen, view: viewBox(), linked: useLink.getState().linked,
  };
}

/** Puts this window as a post has it; its place on the screens is the browser's to give. */
export function apply(kept: WindowState, navigate: (path: string) => void): void {
  navigate(kept.path);
  useDesk.getState().set({ panels: kept.panels, filter: kept.filter, drawer: kept.drawer, sideBySide: kept.sideBySide });
  useTime.getState().choose(kept.range);
  useLink.getState().setLinked(kept.linked);
  if (kept.view) showBox(kept.view, 20);
}

/** Where a post's other windows are handed over: the new window is of the same browser. */
const handOver = "vigie.window.";

/** Opens a window as a post has it. False when the browser did not let it open: the person presses again for it. */
export function openWindow(kept: WindowState): boolean {
  const key = crypto.randomUUID();
  localStorage.setItem(handOver + key, JSON.stringify(kept));
  const { left, top, width, height } = kept;
  const to = kept.path.startsWith("/window/") ? kept.path : "/";
  const opened = window.open(`${to}#post=${key}`, `vigie-${key}`, `popup,left=${left},top=${top},width=${width},height=${height}`);
  if (!opened) localStorage.removeItem(handOver + key);
  return opened !== null;
}

/** What this window was opened for, once. */
export function takeHandedOver(): WindowState | null {
  const key = /^#post=([\w-]+)$/.exec(location.hash)?.[1];
  if (!key) return null;
  const text = localStorage.getItem(handOver + key);
  localStorage.removeItem(handOver + key);
  history.replaceState(history.state, "", location.pathname + location.search);
  return text === null ? null : (JSON.parse(text) as WindowState);
}

/** Selection, object and range are shared with this person's other windows for as long as this one shows a desk. */
export function useWindows(): void {
  const { user } = useSession();
  useEffect(() => joinWindows(user.id, windowState), [user.id]);
}
