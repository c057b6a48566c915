import { Button, Group, Table } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { decideApproval, listApprovals } from "./calls";
import type { Approval } from "../../shared/api/types";
import { explain, word } from "../../shared/i18n/words";
import classes from "./Account.module.css";
import { Refusal } from "./Refusal";
import { Section } from "./Section";
import { useSession } from "./session";

const every = 10_000;

/** Acts that wait for a second person: one's own, and those that one may decide. Quiet when there are none. */
export function Approvals() {
  const { t } = useTranslation();
  const me = useSession().user.id;
  const client = useQueryClient();
  const list = useQuery({ queryKey: ["approvals"], queryFn: listApprovals, refetchInterval: every }).data ?? [];
  const decide = useMutation({
    mutationFn: ({ id, decision }: { id: string; decision: "approve" | "refuse" | "withdraw" }) => decideApproval(id, decision),
    onSettled: () => client.invalidateQueries({ queryKey: ["approvals"] }),
  });
  const waiting = list.filter(({ decision }) => decision === null);
  if (waiting.length === 0) return null;
  const button = (one: Approval, decision: "approve" | "refuse" | "withdraw") => (
    <Button key={decision} size="compact-xs" variant={decision === "approve" ? "filled" : "default"} onClick={() => decide.mutate({ id: one.id, decision })}>{t(`signin.${decision}`)}</Button>
  );
  return (
    <Section title={t("signin.approvals")}>
      {decide.isError && <Refusal>{explain(decide.error)}</Refusal>}
      <Table>
        <Table.Tbody>
          {waiting.map((one) => (
            <Table.Tr key={one.id} data-testid="approval-row">
              <Table.Td>
                <div className={classes["name"]}>{word("act", one.act, one.params)} · {word("objectType", one.object_type)} {one.object_id}</div>
                <div className={classes["second"]}>{t("signin.askedBy", { name: one.asked_by_name })}{one.reason && ` · ${one.reason}`}</div>
                <div className={classes["second"]}>{Object.entries(one.params).map(([key, value]) => `${key}: ${String(value)}`).join(" · ")}</div>
              </Table.Td>
              <Table.Td><Group gap={6} justify="flex-end">{one.asked_by === me ? button(one, "withdraw") : [button(one, "approve"), button(one, "refuse")]}</Group></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  );
}
