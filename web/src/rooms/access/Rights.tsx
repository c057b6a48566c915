import { Button, Group, Modal, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { updateUser } from "./calls";
import type { UserRow } from "../../shared/api/types";
import { explain } from "../../shared/i18n/words";
import { Refusal } from "../../console/session/Refusal";
import { GrantFields, type GrantInput } from "./GrantFields";

function Form({ user, onDone }: { user: UserRow; onDone: () => void }) {
  const { t } = useTranslation();
  const [grants, setGrants] = useState<GrantInput[]>(() =>
    user.grants.map(({ role, municipality, trade }) => ({ role, municipality, trade })),
  );
  const save = useMutation({ mutationFn: () => updateUser(user, { grants }), onSuccess: onDone });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack gap={12}>
        <GrantFields grants={grants} onChange={setGrants} />
        {save.isError && <Refusal>{explain(save.error)}</Refusal>}
        <Group justify="flex-end"><Button type="submit" loading={save.isPending}>{t("users.saveRights", { name: user.username })}</Button></Group>
      </Stack>
    </form>
  );
}

/** What an account may do, changed whole: the server keeps the act and refuses what the giver does not hold. */
export function Rights({ user, onClose }: { user: UserRow | null; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened={user !== null} onClose={onClose} title={t("users.rightsOf", { name: user?.display_name })} closeButtonProps={{ "aria-label": t("action.close") }}>
      {user && <Form key={user.id} user={user} onDone={onClose} />}
    </Modal>
  );
}
