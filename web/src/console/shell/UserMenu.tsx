import { Menu, Modal, UnstyledButton } from "@mantine/core";
import { ChevronDown, CircleUser, KeyRound, Keyboard, Languages, LogOut, Moon, Sun } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { setLanguage } from "../../shared/i18n";
import { ChangePassword } from "../session/ChangePassword";
import { leave, useSession } from "../session/session";
import { useDesk } from "../state/desk";
import { useRoleName } from "../state/roles";
import { useMunicipality } from "../state/server";
import { useTheme } from "../state/theme";
import classes from "./UserMenu.module.css";

export function UserMenu() {
  const { t, i18n } = useTranslation();
  const { user, grants } = useSession();
  const municipality = useMunicipality();
  const roleName = useRoleName();
  const [, navigate] = useLocation();
  const { scheme, choose } = useTheme();
  const [changing, setChanging] = useState(false);
  const initials = user.display_name.split(/\s+/).map((part) => part[0] ?? "").join("").slice(0, 2).toUpperCase();
  const other = i18n.language === "fr" ? "en" : "fr";
  return (
    <>
      <Menu position="bottom-end" width={250}>
        <Menu.Target>
          <UnstyledButton className={classes["you"]} aria-label={t("user.menu", { name: user.display_name })} data-testid="user-menu">
            <span className={classes["initials"]} aria-hidden>{initials}</span>
            <ChevronDown size={14} aria-hidden />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <div className={classes["who"]}>
            <strong>{user.display_name}</strong>
            {grants.map((grant, i) => (
              <span key={i}>
                {roleName(grant.role)} · {grant.municipality === "*" ? t("user.everywhere") : municipality(grant.municipality)}
              </span>
            ))}
          </div>
          <Menu.Divider />
          <Menu.Item leftSection={<CircleUser size={15} />} onClick={() => navigate("/account")} data-testid="my-account">{t("signin.account")}</Menu.Item>
          <Menu.Item leftSection={<Languages size={15} />} onClick={() => void setLanguage(other)}>{t("language.switch")}</Menu.Item>
          <Menu.Item leftSection={scheme === "dark" ? <Sun size={15} /> : <Moon size={15} />} data-testid="theme" onClick={() => choose(scheme === "dark" ? "light" : "dark")}>{t(scheme === "dark" ? "theme.light" : "theme.dark")}</Menu.Item>
          <Menu.Item leftSection={<Keyboard size={15} />} onClick={() => useDesk.getState().set({ shortcuts: true })}>{t("shortcuts.title")}</Menu.Item>
          <Menu.Item leftSection={<KeyRound size={15} />} onClick={() => setChanging(true)}>{t("password.title")}</Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<LogOut size={15} />} onClick={() => void leave()} data-testid="logout">{t("user.logout")}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={changing} onClose={() => setChanging(false)} title={t("password.title")} closeButtonProps={{ "aria-label": t("action.close") }}>
        <ChangePassword onDone={() => setChanging(false)} onCancel={() => setChanging(false)} cancel={t("action.cancel")} />
      </Modal>
    </>
  );
}
