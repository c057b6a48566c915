/** One keystroke each; none while typing. */
import { useEffect, useRef } from "react";
import { useLocation } from "wouter";
import { inDialogue } from "../frame/dialogue";
import { goKeys, plainKey, typing } from "../frame/keys";
import { useDesks } from "../frame/rooms";
import { usePreferences } from "../own/preferences";
import { useDesk } from "../state/desk";
import { focusCommandBar, focusTopPanel, leaveField } from "./focus";

/** One thing at a time, the nearest first. */
function close(from: EventTarget | null, path: string, navigate: (path: string) => void): void {
  const desk = useDesk.getState();
  const inList = from instanceof HTMLElement && from.closest("[data-testid=list-drawer]") !== null;
  if (desk.boxTool) desk.set({ boxTool: false });
  else if (inList) desk.set({ drawer: false });
  else if (desk.panels[0]) {
    desk.closePanel(desk.panels[0]);
    focusTopPanel();
  } else if (path !== "/") navigate(path.slice(0, path.lastIndexOf("/")) || "/");
  else if (desk.drawer) desk.set({ drawer: false });
}

export function useShortcuts(): void {
  const desks = useDesks();
  const [path, navigate] = useLocation();
  const { preferences, change } = usePreferences();
  const latest = useRef({ preferences, change });
  useEffect(() => {
    latest.current = { preferences, change };
  });
  useEffect(() => {
    const keepHere = (digit: string) => {
      const { preferences: { digits = {} }, change: put } = latest.current;
      put({ digits: { ...digits, [digit]: location.pathname + location.search } });
    };
    const onKey = (event: KeyboardEvent) => {
      if (inDialogue()) return;
      const desk = useDesk.getState();
      const digits = latest.current.preferences.digits ?? {};
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        focusCommandBar();
        return;
      }
      if (event.key === "Escape" && typing(event.target) && leaveField(event.target)) return;
      if (!plainKey(event) || typing(event.target) || event.defaultPrevented) return;
      const letter = goKeys.press(event.key, event.timeStamp);
      // By its place on the keyboard: on a French one the digits of the upper row are typed with Shift.
      const digit = /^[1-9]$/.test(event.key) ? event.key : (/^Digit([1-9])$/.exec(event.code)?.[1] ?? null);
      if (letter !== null) {
        const place = desks.find(({ go }) => go !== undefined && go === letter);
        if (place) navigate(place.path);
        else if (letter !== "" && digit !== null) keepHere(digit);
      } else if (event.key === "/") focusCommandBar();
      else if (event.key === "?") desk.set({ shortcuts: true });
      else if (event.key === "b") desk.set({ boxTool: !desk.boxTool });
      else if (event.key === "l") desk.set({ drawer: !desk.drawer });
      else if (event.key === "p") focusTopPanel();
      else if (event.key === "Escape") close(event.target, path, navigate);
      else if (event.key === "r" && path === "/") desk.recall();
      else if (digit !== null && !"?/".includes(event.key)) {
        const place = digits[digit] ?? desks.filter(({ hidden }) => !hidden)[Number(digit) - 1]?.path;
        if (place) navigate(place);
      } else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [desks, path, navigate]);
}
