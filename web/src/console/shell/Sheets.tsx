import { Suspense, lazy } from "react";
import { useTranslation } from "react-i18next";
import { Route, Switch, useLocation } from "wouter";
import { Boundary } from "../../shared/ui/Boundary";
import { Empty, Loading } from "../../shared/ui/States";
import { Sheet } from "./Sheet";

const pages = [
  { path: "/commands", load: () => import("../command/CommandsPage") },
  { path: "/journal", load: () => import("../journal/JournalPage") },
  { path: "/quarantine", load: () => import("../quarantine/QuarantinePage") },
  { path: "/system", load: () => import("../system/SystemPage") },
  { path: "/administration", load: () => import("../admin/AdministrationPage") },
  { path: "/account", load: () => import("../session/AccountPage") },
].map((page) => ({ ...page, Page: lazy(page.load) }));

/** Fetched before they are asked for: a desk opens at once, and also when the server has gone since. */
export function fetchDesks(): void {
  for (const { load } of pages) load().catch(() => undefined);
  import("../asset/Chart").catch(() => undefined);
}

function Nowhere() {
  const { t } = useTranslation();
  return <Sheet title={t("state.nowhere")}><Empty title={t("state.nowhere")} hint={t("state.nowhereHint")} /></Sheet>;
}

/** The desks other than the map open as sheets beside it. */
export function Sheets() {
  const [path] = useLocation();
  return (
    <Boundary key={path}>
      <Suspense fallback={<Loading />}>
        <Switch>
          {pages.map(({ path: at, Page }) => <Route key={at} path={at} component={Page} />)}
          <Route path="/" />
          <Route component={Nowhere} />
        </Switch>
      </Suspense>
    </Boundary>
  );
}
