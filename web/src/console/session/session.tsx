/** Who is at this desk and what they may do. */
import { useQuery } from "@tanstack/react-query";
import { createContext, use } from "react";
import { getSession, logout } from "./calls";
import { setCsrf } from "../../shared/api/client";
import { ApiError } from "../../shared/api/errors";
import type { Session } from "../../shared/api/types";
import { adoptLanguage } from "../../shared/i18n";
import { kindsQuery, queryClient, territoryQuery } from "../state/server";
import { arrival, entered } from "./arrival";

const key = ["session"];
// `entered` is set while this browser may hold a session: a first visit need not ask only to be told no.

async function fetchSession(): Promise<Session | null> {
  arrival(); // Who comes back from a login elsewhere has a session as well.
  if (!localStorage.getItem(entered)) return null;
  // Asked for together: one way to the server and back, not two.
  const early = [queryClient.query(territoryQuery), queryClient.query(kindsQuery)];
  for (const asked of early) asked.catch(() => undefined);
  try {
    const session = await getSession();
    setCsrf(session.csrf);
    return session;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

export const useSessionQuery = () => useQuery({ queryKey: key, queryFn: fetchSession, staleTime: Infinity });

export async function enter(session: Session): Promise<void> {
  setCsrf(session.csrf);
  localStorage.setItem(entered, "1");
  await adoptLanguage(session.user.language);
  queryClient.setQueryData(key, session);
}

export async function refreshSession(): Promise<void> {
  await queryClient.invalidateQueries({ queryKey: key });
}

/** The session ended, by choice or by the server: nothing of it stays on the screen. */
export function forget(): void {
  setCsrf("");
  localStorage.removeItem(entered);
  queryClient.setQueryData(key, null);
  // Once the desk is gone: what still looks would only ask again.
  setTimeout(() => queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" }));
}

export async function leave(): Promise<void> {
  try {
    await logout();
  } finally {
    forget();
  }
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error("This part of the screen is shown only to someone logged in.");
  return session;
}

/** Whether this person holds a permission somewhere; the server decides again at each call. */
export function useCan(): (permission: string) => boolean {
  const { permissions } = useSession();
  return (permission) => permissions.includes(permission);
}
