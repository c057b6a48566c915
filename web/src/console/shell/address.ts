/** The open light is part of the address, so that it can be sent to a colleague. */
import { useEffect } from "react";
import { useSearch } from "wouter";
import { openAsset, useDesk } from "../state/desk";

const name = "light";

export function lightInAddress(): number | null {
  const asked = Number(new URLSearchParams(location.search).get(name));
  return Number.isInteger(asked) && asked > 0 ? asked : null;
}

export function useAssetInAddress(): void {
  const search = useSearch();
  // At first, and when a link or the browser's way back leads to another light.
  useEffect(() => {
    const asked = lightInAddress();
    if (asked !== null && !useDesk.getState().panels.some(({ kind, id }) => kind === "asset" && id === asked)) openAsset(asked);
  }, [search]);
  useEffect(() => {
    return useDesk.subscribe((now, before) => {
      if (now.panels === before.panels) return;
      const panel = now.panels.find((candidate) => candidate.kind === "asset");
      const url = new URL(location.href);
      if (panel) url.searchParams.set(name, String(panel.id));
      else url.searchParams.delete(name);
      history.replaceState(history.state, "", url);
    });
  }, []);
}
