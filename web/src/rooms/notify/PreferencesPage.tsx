/** How one is reached: addresses, hours of quiet, a way for each kind of message. */
import { Button, Group, Select, Stack, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Refusal } from "../../console/session/Refusal";
import { useCan } from "../../console/session/session";
import { Sheet } from "../../console/shell/Sheet";
import { explain, word } from "../../shared/i18n/words";
import { Failed, Loading } from "../../shared/ui/States";
import { type Channel, type Preferences, getPreferences, listTemplates, putPreferences } from "./calls";

const key = ["notify", "preferences"];
const hour = (time: string | null | undefined) => time?.slice(0, 5) ?? "";

function Form({ start, channels }: { start: Preferences; channels: readonly Channel[] }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [mine, setMine] = useState(start);
  const known = useQuery({ queryKey: ["notify", "templates"], queryFn: listTemplates, enabled: useCan()("notify.send") }).data ?? [];
  const save = useMutation({ mutationFn: () => putPreferences(mine), onSuccess: () => client.invalidateQueries({ queryKey: key }) });
  const ways = [{ value: "", label: t("notify.asUsual") }, ...channels.map((value) => ({ value, label: word("channel", value) }))];
  const kinds = [...new Set(["*", ...known.map(({ name }) => name), ...Object.keys(mine.channels ?? {})])];
  const choose = (kind: string, way: string) => {
    const rest = Object.fromEntries(Object.entries(mine.channels ?? {}).filter(([name]) => name !== kind));
    setMine({ ...mine, channels: way ? { ...rest, [kind]: way as Channel } : rest });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack gap={12} p={16} maw={560}>
        <TextInput type="email" label={t("notify.mail")} value={mine.mail ?? ""} onChange={(event) => setMine({ ...mine, mail: event.currentTarget.value || null })} data-testid="my-mail" />
        <TextInput type="tel" label={t("notify.phone")} description={t("notify.phoneHint")} value={mine.phone ?? ""} onChange={(event) => setMine({ ...mine, phone: event.currentTarget.value.replaceAll(" ", "") || null })} data-testid="my-phone" />
        <Group grow>
          <TextInput type="time" label={t("notify.quietFrom")} value={hour(mine.quiet_from)} onChange={(event) => setMine({ ...mine, quiet_from: event.currentTarget.value || null })} data-testid="quiet-from" />
          <TextInput type="time" label={t("notify.quietTo")} value={hour(mine.quiet_to)} onChange={(event) => setMine({ ...mine, quiet_to: event.currentTarget.value || null })} data-testid="quiet-to" />
        </Group>
        {kinds.map((kind) => (
          <Select key={kind} label={kind === "*" ? t("notify.everyKind") : word("template", kind)} data={ways} value={mine.channels?.[kind] ?? ""} allowDeselect={false} onChange={(way) => choose(kind, way ?? "")} />
        ))}
        {save.isError && <Refusal>{explain(save.error)}</Refusal>}
        <Group><Button type="submit" loading={save.isPending} data-testid="save-preferences">{t("roles.save")}</Button>{save.isSuccess && <span role="status">{t("notify.saved")}</span>}</Group>
      </Stack>
    </form>
  );
}

export default function PreferencesPage() {
  const { t } = useTranslation();
  const found = useQuery({ queryKey: key, queryFn: getPreferences });
  return (
    <Sheet title={t("desk.preferences")}>
      {found.data ? <Form start={found.data.preferences} channels={found.data.channels} />
        : found.isError ? <Failed error={found.error} retry={() => void found.refetch()} /> : <Loading />}
    </Sheet>
  );
}
