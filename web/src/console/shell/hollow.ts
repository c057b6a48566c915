/** What shapes and lists show is not of now: they are drawn hollow (base.css). */
import { useEffect } from "react";
import { useLiveStatus } from "../state/live";

export function useHollowWhenNotLive(): void {
  const { live, since } = useLiveStatus();
  const lost = !live && since !== null;
  useEffect(() => {
    document.documentElement.toggleAttribute("data-not-live", lost);
    return () => document.documentElement.removeAttribute("data-not-live");
  }, [lost]);
}
