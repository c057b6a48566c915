import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { word } from "../../shared/i18n/words";
import { Sheet } from "../shell/Sheet";
import classes from "./Account.module.css";
import { Approvals } from "./Approvals";
import { ChangePassword } from "./ChangePassword";
import { Identities } from "./Identities";
import { Passkeys } from "./Passkeys";
import { Refusal } from "./Refusal";
import { Section } from "./Section";
import { Sessions } from "./Sessions";
import { arrival, refusalAtArrival } from "./arrival";

/** What is one's own: how one gets in, and where one is in. */
export default function AccountPage() {
  const { t } = useTranslation();
  const said = arrival();
  const refused = refusalAtArrival();
  const [changing, setChanging] = useState(false);
  return (
    <Sheet title={t("signin.account")}>
      {refused && <div className={classes["section"]}><Refusal>{word("problem", refused)}</Refusal></div>}
      {said === "link" && <p className={classes["section"]} role="status">{t("signin.linked")}</p>}
      {said === "confirm" && <p className={classes["section"]} role="status">{t("signin.confirmed")}</p>}
      <Passkeys />
      <Sessions />
      <Identities />
      <Approvals />
      <Section
        title={t("login.password")}
        tools={!changing && <Button size="xs" variant="default" onClick={() => setChanging(true)}>{t("password.title")}</Button>}
      >
        {changing && <ChangePassword onDone={() => setChanging(false)} onCancel={() => setChanging(false)} cancel={t("action.cancel")} />}
      </Section>
    </Sheet>
  );
}
