/** One keystroke each; none while typing. */
import { useEffect } from "react";
import { useLocation } from "wouter";
import { useCan } from "../session/session";
import { useDesk } from "../state/desk";
import { visibleDesks } from "./desks";

export function focusCommandBar(): void {
  document.querySelector<HTMLInputElement>("[data-command-bar]")?.focus();
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function useShortcuts(): void {
  const can = useCan();
  const [, navigate] = useLocation();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const desk = useDesk.getState();
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        focusCommandBar();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || event.defaultPrevented) return;
      const place = visibleDesks(can).find((candidate) => candidate.key === event.key);
      if (event.key === "/") focusCommandBar();
      else if (event.key === "?") desk.set({ shortcuts: true });
      else if (event.key === "b") desk.set({ boxTool: !desk.boxTool });
      else if (event.key === "l") desk.set({ drawer: !desk.drawer });
      else if (event.key === "Escape" && desk.boxTool) desk.set({ boxTool: false });
      else if (event.key === "Escape" && desk.panels[0] && !document.querySelector("[role=dialog]")) desk.closePanel(desk.panels[0]);
      else if (place) navigate(place.path);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [can, navigate]);
}
