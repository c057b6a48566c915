/** The teams and their members, above the functions: who there is to be on call. */
import { Button, Group, Modal, Select, Stack, Table, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Refusal } from "../../console/session/Refusal";
import { useCan } from "../../console/session/session";
import { explain } from "../../shared/i18n/words";
import { visible } from "../../shared/visible";
import { addMember, addShift, createFunction, createTeam, listFunctions, listTeams } from "./calls";

const key = ["duty"];

export function Teams() {
  const { t } = useTranslation();
  const can = useCan();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const teams = useQuery({ queryKey: [...key, "teams"], queryFn: listTeams, enabled: open }).data ?? [];
  const functions = useQuery({ queryKey: [...key, "names"], queryFn: listFunctions, enabled: open }).data ?? [];
  const [team, setTeam] = useState("");
  const [member, setMember] = useState({ team: "", name: "", phone: "" });
  const [made, setMade] = useState({ team: "", key: "", name: "" });
  const [shift, setShift] = useState({ function: "", member: "", start: "", end: "" });
  const again = () => client.invalidateQueries({ queryKey: key });
  const act = useMutation({ mutationFn: (run: () => Promise<unknown>) => run(), onSuccess: again });
  const ofTeam = teams.map(({ id, name }) => ({ value: id, label: visible(name) }));
  const inTeam = teams.find(({ id }) => id === functions.find((fn) => fn.id === shift.function)?.team)?.members ?? [];
  return (
    <>
      <Group p={8}><Button size="xs" variant="default" onClick={() => setOpen(true)} data-testid="teams">{t("duty.teams")}</Button></Group>
      <Modal opened={open} onClose={() => setOpen(false)} size="lg" title={t("duty.teams")} closeButtonProps={{ "aria-label": t("action.close") }}>
        <Table data-testid="team-list">
          <Table.Tbody>
            {teams.map((one) => (
              <Table.Tr key={one.id}>
                <Table.Td><b>{visible(one.name)}</b></Table.Td>
                <Table.Td>{one.members.filter(({ active }) => active).map(({ name, phone }) => visible([name, phone].filter(Boolean).join(" "))).join(" · ")}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        {act.isError && <Refusal>{explain(act.error)}</Refusal>}
        {can("duty.manage") && (
          <Stack gap={12} mt={16}>
            <Group align="end">
              <TextInput size="xs" flex={1} label={t("duty.newTeam")} value={team} maxLength={120} onChange={(event) => setTeam(event.currentTarget.value)} data-testid="new-team" />
              <Button size="xs" disabled={!team.trim()} onClick={() => act.mutate(() => createTeam(team.trim()).then(() => setTeam("")))} data-testid="add-team">{t("duty.add")}</Button>
            </Group>
            <Group align="end">
              <Select size="xs" label={t("duty.team")} data={ofTeam} value={member.team || null} onChange={(value) => setMember({ ...member, team: value ?? "" })} data-testid="member-team" />
              <TextInput size="xs" flex={1} label={t("duty.member")} value={member.name} maxLength={120} onChange={(event) => setMember({ ...member, name: event.currentTarget.value })} data-testid="member-name" />
              <TextInput size="xs" w={140} label={t("duty.phone")} value={member.phone} maxLength={40} onChange={(event) => setMember({ ...member, phone: event.currentTarget.value })} data-testid="member-phone" />
              <Button size="xs" disabled={!member.team || !member.name.trim()} onClick={() => act.mutate(() => addMember(member.team, member.name.trim(), member.phone.trim()).then(() => setMember({ ...member, name: "", phone: "" })))} data-testid="add-member">{t("duty.add")}</Button>
            </Group>
            <Group align="end">
              <Select size="xs" label={t("duty.team")} data={ofTeam} value={made.team || null} onChange={(value) => setMade({ ...made, team: value ?? "" })} />
              <TextInput size="xs" w={140} label={t("duty.key")} value={made.key} onChange={(event) => setMade({ ...made, key: event.currentTarget.value })} />
              <TextInput size="xs" flex={1} label={t("duty.function")} value={made.name} maxLength={120} onChange={(event) => setMade({ ...made, name: event.currentTarget.value })} />
              <Button size="xs" disabled={!made.team || !made.key || !made.name.trim()} onClick={() => act.mutate(() => createFunction({ team: made.team, key: made.key, name: made.name.trim(), people: 1, hours: "" }).then(() => setMade({ team: made.team, key: "", name: "" })))}>{t("duty.add")}</Button>
            </Group>
            <Group align="end">
              <Select size="xs" label={t("duty.function")} data={functions.map(({ id, name }) => ({ value: id, label: visible(name) }))} value={shift.function || null} onChange={(value) => setShift({ ...shift, function: value ?? "", member: "" })} />
              <Select size="xs" label={t("duty.member")} data={inTeam.map(({ id, name }) => ({ value: id, label: visible(name) }))} value={shift.member || null} onChange={(value) => setShift({ ...shift, member: value ?? "" })} />
              <TextInput size="xs" type="datetime-local" label={t("duty.from")} value={shift.start} onChange={(event) => setShift({ ...shift, start: event.currentTarget.value })} />
              <TextInput size="xs" type="datetime-local" label={t("duty.until")} value={shift.end} onChange={(event) => setShift({ ...shift, end: event.currentTarget.value })} />
              <Button
                size="xs" disabled={!shift.function || !shift.member || !shift.start || !shift.end}
                onClick={() => act.mutate(() => addShift(shift.function, { kind: "shift", member: shift.member, start: new Date(shift.start).toISOString(), end: new Date(shift.end).toISOString() }))}
              >
                {t("duty.add")}
              </Button>
            </Group>
          </Stack>
        )}
      </Modal>
    </>
  );
}
