import { useQuery } from "@tanstack/react-query";
import { Suspense, lazy, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Boundary } from "../shared/ui/Boundary";
import { Failed, Loading } from "../shared/ui/States";
import { ChangePassword } from "./session/ChangePassword";
import { Frame } from "./session/Frame";
import { FreshLogin } from "./session/FreshLogin";
import { Login } from "./session/Login";
import { SessionContext, forget, leave, useSessionQuery } from "./session/session";
import { startLive } from "./state/live";
import { territoryQuery } from "./state/server";

/** The map is heavy: it is fetched at once, while the person types their name or the session is asked for. */
const torn = location.pathname.startsWith("/window/");
const wall = location.pathname === "/wall";
const desk = torn || wall ? null : import("./shell/Desk");
const Desk = lazy(() => desk ?? import("./shell/Desk"));
const Wall = lazy(() => import("./wall/Wall"));
const PanelWindow = lazy(() => import("./shell/PanelWindow"));

function FirstPassword() {
  const { t } = useTranslation();
  return (
    <Frame title={t("password.firstTitle")} hint={t("password.firstHint")}>
      <ChangePassword onDone={() => undefined} onCancel={() => void leave()} cancel={t("user.logout")} />
    </Frame>
  );
}

function Entered({ who }: { who: string }) {
  // Live state is on its way while the map is still being built.
  useEffect(() => startLive(who, forget), [who]);
  const territory = useQuery(territoryQuery);
  if (territory.isPending) return <Loading rows={3} />;
  if (territory.isError) return <Failed error={territory.error} retry={() => void territory.refetch()} />;
  return (
    <Suspense fallback={<Loading rows={3} />}>
      {torn ? <PanelWindow /> : wall ? <Wall territory={territory.data} /> : <Desk territory={territory.data} />}
    </Suspense>
  );
}

export function App() {
  const session = useSessionQuery();
  if (session.isPending) return <Loading rows={3} />;
  if (session.isError) return <Failed error={session.error} retry={() => void session.refetch()} />;
  if (!session.data) return <Login />;
  if (session.data.user.must_change_password) return <FirstPassword />;
  return (
    <SessionContext value={session.data}>
      <Boundary><FreshLogin><Entered who={session.data.user.id} /></FreshLogin></Boundary>
    </SessionContext>
  );
}
