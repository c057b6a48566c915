import { Suspense, createElement } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { Boundary } from "../../shared/ui/Boundary";
import { Empty, Loading } from "../../shared/ui/States";
import { isAt } from "../frame/room";
import { pageOf, useDesks } from "../frame/rooms";
import { Sheet } from "./Sheet";

function Nowhere() {
  const { t } = useTranslation();
  return <Sheet title={t("state.nowhere")}><Empty title={t("state.nowhere")} hint={t("state.nowhereHint")} /></Sheet>;
}

/** The desks other than the map open beside it. A desk that is not this person's is nowhere for them. */
export function Sheets() {
  const [path] = useLocation();
  const desk = useDesks().find((candidate) => isAt(candidate, path));
  if (path === "/") return null;
  const Page = desk && pageOf(desk);
  return (
    <Boundary key={desk?.path ?? path}>
      <Suspense fallback={<Loading />}>{createElement(Page ?? Nowhere)}</Suspense>
    </Boundary>
  );
}
