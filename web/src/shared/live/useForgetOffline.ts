import { useEffect, useRef } from "react";
import { ApiError } from "../api/errors";
import { useLiveStatus } from "./live";

/** A message about the network goes away when the network is back. */
export function useForgetOffline(error: unknown, forget: () => void): void {
  const { live } = useLiveStatus();
  const was = useRef(live);
  useEffect(() => {
    if (live && !was.current && error instanceof ApiError && error.status === 0) forget();
    was.current = live;
  }, [live, error, forget]);
}
