import { Button, Checkbox, Group, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { createRole, editRole } from "./calls";
import type { RoleCatalogue, RoleInput, RoleRow } from "../../shared/api/types";
import { explain, word } from "../../shared/i18n/words";
import { Refusal } from "../../console/session/Refusal";
import { useSession } from "../../console/session/session";
import classes from "./Admin.module.css";

const flip = (list: string[], name: string): string[] => (list.includes(name) ? list.filter((one) => one !== name) : [...list, name]);

/** The whole of a role, or a new one. What its editor does not hold everywhere cannot be added. */
export function RoleForm({ role, catalogue, onDone }: { role: RoleRow | null; catalogue: RoleCatalogue; onDone: () => void }) {
  const { t } = useTranslation();
  const { permissions: mine } = useSession();
  const [name, setName] = useState("");
  const [labels, setLabels] = useState({ fr: role?.labels["fr"] ?? "", en: role?.labels["en"] ?? "" });
  const [held, setHeld] = useState(role?.permissions ?? []);
  const [opened, setOpened] = useState(role?.compartments ?? []);
  const save = useMutation({
    mutationFn: async () => {
      const said = Object.fromEntries(Object.entries(labels).filter(([, text]) => text.trim() !== ""));
      const whole: RoleInput = { permissions: held, compartments: opened, labels: said, descriptions: role?.descriptions ?? {} };
      if (role) await editRole(role, whole);
      else await createRole(name.trim(), whole);
    },
    onSuccess: onDone,
  });
  const label = (language: "fr" | "en", text: string) => (
    <TextInput label={text} value={labels[language]} maxLength={120} onChange={(event) => setLabels({ ...labels, [language]: event.currentTarget.value })} data-testid={`role-label-${language}`} />
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack gap={12}>
        {!role && (
          <TextInput
            label={t("roles.name")} description={t("roles.nameRule")} required withAsterisk={false} pattern="[a-z][a-z_]{1,40}" spellCheck={false} data-autofocus
            data-testid="role-name" value={name} onChange={(event) => setName(event.currentTarget.value)}
          />
        )}
        {!role?.declared && <SimpleGrid cols={2}>{label("fr", t("roles.labelFr"))}{label("en", t("roles.labelEn"))}</SimpleGrid>}
        <fieldset className={classes["set"]}>
          <legend>{t("roles.permissions")}</legend>
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xs" verticalSpacing={6}>
            {catalogue.permissions.map((one) => {
              const beyond = !mine.includes(one.name) && !role?.permissions.includes(one.name);
              return (
                <Checkbox
                  key={one.name} size="xs" label={word("permission", one.name)} title={beyond ? t("roles.beyond") : one.description} disabled={beyond}
                  checked={held.includes(one.name)} onChange={() => setHeld(flip(held, one.name))} data-testid={`role-may-${one.name}`}
                />
              );
            })}
          </SimpleGrid>
        </fieldset>
        {catalogue.compartments.length > 0 && (
          <fieldset className={classes["set"]}>
            <legend>{t("roles.compartments")}</legend>
            <Group gap={16}>
              {catalogue.compartments.map((one) => <Checkbox key={one} size="xs" label={one} checked={opened.includes(one)} onChange={() => setOpened(flip(opened, one))} />)}
            </Group>
          </fieldset>
        )}
        {save.isError && <Refusal>{explain(save.error)}</Refusal>}
        <Group justify="flex-end"><Button type="submit" loading={save.isPending} data-testid="role-save">{t(role ? "roles.save" : "roles.create")}</Button></Group>
      </Stack>
    </form>
  );
}
