import { Button, Group, Select, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { createUser } from "./calls";
import type { Language } from "../../shared/api/types";
import { explain } from "../../shared/i18n/words";
import { Refusal } from "../../console/session/Refusal";
import { GrantFields, type GrantInput, firstGrant } from "./GrantFields";

const languages: { value: Language; label: string }[] = [{ value: "fr", label: "Français" }, { value: "en", label: "English" }];

export function NewUser({ onCreated }: { onCreated: (username: string, password: string) => void }) {
  const { t, i18n } = useTranslation();
  const [username, setUsername] = useState("");
  const [name, setName] = useState("");
  const [grants, setGrants] = useState<GrantInput[]>([firstGrant]);
  const [language, setLanguage] = useState<Language>(i18n.language === "en" ? "en" : "fr");
  const create = useMutation({
    mutationFn: () =>
      createUser({
        username: username.trim(), display_name: name.trim(), language, grants,
      }),
    onSuccess: (user) => onCreated(user.username, user.password),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <Stack gap={10}>
        <TextInput label={t("login.username")} required withAsterisk={false} autoFocus spellCheck={false} autoCapitalize="none" description={t("users.usernameRule")} pattern="[a-z0-9][a-z0-9._@\-]{1,62}[a-z0-9]" value={username} onChange={(event) => setUsername(event.currentTarget.value)} />
        <TextInput label={t("users.name")} required withAsterisk={false} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <GrantFields grants={grants} onChange={setGrants} />
        <Select label={t("language.label")} value={language} onChange={(value) => setLanguage(value ?? language)} data={languages} />
        {create.isError && <Refusal>{explain(create.error)}</Refusal>}
        <Group justify="flex-end"><Button type="submit" loading={create.isPending}>{t("users.create")}</Button></Group>
      </Stack>
    </form>
  );
}
