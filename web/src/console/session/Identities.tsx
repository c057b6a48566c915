import { Button, Group, Table } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { linkIdentity, listIdentities, unlinkIdentity } from "./calls";
import { explain } from "../../shared/i18n/words";
import classes from "./Account.module.css";
import { useFreshly } from "./FreshLogin";
import { waysQuery } from "./OtherWays";
import { Refusal } from "./Refusal";
import { Section } from "./Section";

/** Accounts of login services that open this one; nothing shows where there is no service. */
export function Identities() {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const freshly = useFreshly();
  const providers = useQuery(waysQuery).data?.providers ?? [];
  const linked = useQuery({ queryKey: ["identities"], queryFn: listIdentities }).data ?? [];
  const link = useMutation({
    mutationFn: (name: string) => freshly(() => linkIdentity(name)),
    onSuccess: ({ url }) => location.assign(url),
  });
  const unlink = useMutation({
    mutationFn: (id: string) => freshly(() => unlinkIdentity(id)),
    onSettled: () => client.invalidateQueries({ queryKey: ["identities"] }),
  });
  if (providers.length === 0 && linked.length === 0) return null;
  const labelOf = (name: string) => providers.find((one) => one.name === name)?.label[i18n.language] ?? name;
  const free = providers.filter(({ name }) => !linked.some(({ provider }) => provider === name));
  const error = link.error ?? unlink.error;
  return (
    <Section
      title={t("signin.identities")} hint={t("signin.identitiesHint")}
      tools={<Group gap={6}>{free.map(({ name }) => <Button key={name} size="xs" variant="default" loading={link.isPending} onClick={() => link.mutate(name)} data-testid={`link-${name}`}>{t("signin.link", { name: labelOf(name) })}</Button>)}</Group>}
    >
      {error !== null && <Refusal>{explain(error)}</Refusal>}
      {linked.length > 0 && (
        <Table>
          <Table.Tbody>
            {linked.map((one) => (
              <Table.Tr key={one.id} data-testid="identity-row">
                <Table.Td><div className={classes["name"]}>{labelOf(one.provider)}</div><div className={classes["second"]}>{one.label || one.subject}</div></Table.Td>
                <Table.Td ta="right">{!one.managed && <Button size="compact-xs" variant="default" onClick={() => unlink.mutate(one.id)}>{t("signin.unlink")}</Button>}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Section>
  );
}
