/** One keystroke each; none while typing. */
import { useEffect } from "react";
import { useLocation } from "wouter";
import { useCan } from "../session/session";
import { useDesk } from "../state/desk";
import { visibleDesks } from "./desks";
import { focusCommandBar, focusTopPanel, leaveField } from "./focus";

/** Asked before any dialogue hears the key, so listened for before any is there: Escape closes it, and only it. */
let inDialogue = false;
window.addEventListener(
  "keydown",
  () => {
    inDialogue = document.querySelector("[role=dialog],[role=menu]") !== null;
  },
  { capture: true },
);

function typing(target: EventTarget | null): target is HTMLElement {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** One thing at a time, the nearest first. */
function close(from: EventTarget | null, path: string, navigate: (path: string) => void): void {
  const desk = useDesk.getState();
  const inList = from instanceof HTMLElement && from.closest("[data-testid=list-drawer]") !== null;
  if (desk.boxTool) desk.set({ boxTool: false });
  else if (inList) desk.set({ drawer: false });
  else if (desk.panels[0]) {
    desk.closePanel(desk.panels[0]);
    focusTopPanel();
  } else if (path !== "/") navigate("/");
  else if (desk.drawer) desk.set({ drawer: false });
}

export function useShortcuts(): void {
  const can = useCan();
  const [path, navigate] = useLocation();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (inDialogue) return;
      const desk = useDesk.getState();
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        focusCommandBar();
        return;
      }
      if (event.key === "Escape" && typing(event.target) && leaveField(event.target)) return;
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || event.defaultPrevented) return;
      const place = visibleDesks(can).find((candidate) => candidate.key === event.key);
      if (event.key === "/") focusCommandBar();
      else if (event.key === "?") desk.set({ shortcuts: true });
      else if (event.key === "b") desk.set({ boxTool: !desk.boxTool });
      else if (event.key === "l") desk.set({ drawer: !desk.drawer });
      else if (event.key === "p") focusTopPanel();
      else if (event.key === "Escape") close(event.target, path, navigate);
      else if (place) navigate(place.path);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [can, path, navigate]);
}
