import { Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useCan } from "../session/session";
import { Sheet } from "../shell/Sheet";
import { Roles } from "./Roles";
import { Tokens } from "./Tokens";
import { Users } from "./Users";

export default function AdministrationPage() {
  const { t } = useTranslation();
  const can = useCan();
  return (
    <Sheet title={t("desk.administration")}>
      <Tabs defaultValue={can("users") ? "users" : "tokens"} keepMounted={false}>
        <Tabs.List px="md" pt={6}>
          {can("users") && <Tabs.Tab value="users">{t("users.title")}</Tabs.Tab>}
          {can("roles") && <Tabs.Tab value="roles">{t("roles.title")}</Tabs.Tab>}
          {can("tokens") && <Tabs.Tab value="tokens">{t("tokens.title")}</Tabs.Tab>}
        </Tabs.List>
        {can("users") && <Tabs.Panel value="users"><Users /></Tabs.Panel>}
        {can("roles") && <Tabs.Panel value="roles"><Roles /></Tabs.Panel>}
        {can("tokens") && <Tabs.Panel value="tokens"><Tokens /></Tabs.Panel>}
      </Tabs>
    </Sheet>
  );
}
