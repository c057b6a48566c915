import { Suspense, lazy } from "react";
import { Route, Switch } from "wouter";
import { Loading } from "../../shared/ui/States";

const CommandsPage = lazy(() => import("../command/CommandsPage"));
const JournalPage = lazy(() => import("../journal/JournalPage"));
const QuarantinePage = lazy(() => import("../quarantine/QuarantinePage"));
const SystemPage = lazy(() => import("../system/SystemPage"));
const AdministrationPage = lazy(() => import("../admin/AdministrationPage"));

/** The desks other than the map open as sheets beside it. */
export function Sheets() {
  return (
    <Suspense fallback={<Loading />}>
      <Switch>
        <Route path="/commands" component={CommandsPage} />
        <Route path="/journal" component={JournalPage} />
        <Route path="/quarantine" component={QuarantinePage} />
        <Route path="/system" component={SystemPage} />
        <Route path="/administration" component={AdministrationPage} />
      </Switch>
    </Suspense>
  );
}
