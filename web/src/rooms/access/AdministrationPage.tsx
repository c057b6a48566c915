import { Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useCan } from "../../console/session/session";
import { Sheet } from "../../console/shell/Sheet";
import { Roles } from "./Roles";
import { Tokens } from "./Tokens";
import { Users } from "./Users";

export default function AdministrationPage() {
  const { t } = useTranslation();
  const can = useCan();
  return (
    <Sheet title={t("desk.administration")}>
      <Tabs defaultValue={can("access.read") ? "users" : can("access.roles") ? "roles" : "tokens"} keepMounted={false}>
        <Tabs.List px="md" pt={6}>
          {can("access.read") && <Tabs.Tab value="users">{t("users.title")}</Tabs.Tab>}
          {can("access.roles") && <Tabs.Tab value="roles">{t("roles.title")}</Tabs.Tab>}
          {can("access.tokens") && <Tabs.Tab value="tokens">{t("tokens.title")}</Tabs.Tab>}
        </Tabs.List>
        {can("access.read") && <Tabs.Panel value="users"><Users /></Tabs.Panel>}
        {can("access.roles") && <Tabs.Panel value="roles"><Roles /></Tabs.Panel>}
        {can("access.tokens") && <Tabs.Panel value="tokens"><Tokens /></Tabs.Panel>}
      </Tabs>
    </Sheet>
  );
}
