import { useQuery } from "@tanstack/react-query";
import { Suspense, lazy, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Failed, Loading } from "../shared/ui/States";
import { ChangePassword } from "./session/ChangePassword";
import { Frame } from "./session/Frame";
import { Login } from "./session/Login";
import { SessionContext, forget, leave, useSessionQuery } from "./session/session";
import { territoryQuery } from "./state/server";

/** The map is heavy: it is fetched while the person types their name, and is there when they are in. */
const loadDesk = () => import("./shell/Desk");
const Desk = lazy(loadDesk);

function FirstPassword() {
  const { t } = useTranslation();
  return (
    <Frame title={t("password.firstTitle")} hint={t("password.firstHint")}>
      <ChangePassword onDone={() => undefined} onCancel={() => void leave()} cancel={t("user.logout")} />
    </Frame>
  );
}

function Entered() {
  const territory = useQuery(territoryQuery);
  if (territory.isPending) return <Loading rows={3} />;
  if (territory.isError) return <Failed error={territory.error} retry={() => void territory.refetch()} />;
  return (
    <Suspense fallback={<Loading rows={3} />}>
      <Desk territory={territory.data} onUnauthorised={forget} />
    </Suspense>
  );
}

export function App() {
  useEffect(() => void loadDesk(), []);
  const session = useSessionQuery();
  if (session.isPending) return <Loading rows={3} />;
  if (session.isError) return <Failed error={session.error} retry={() => void session.refetch()} />;
  if (!session.data) return <Login />;
  if (session.data.user.must_change_password) return <FirstPassword />;
  return (
    <SessionContext value={session.data}>
      <Entered />
    </SessionContext>
  );
}
