import { Button, PasswordInput, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { changePassword } from "./calls";
import { explain } from "../../shared/i18n/words";
import { Refusal } from "./Refusal";
import { enter } from "./session";

export const shortestPassword = 12;

/** The form, in the page of the first login and in the user menu's dialogue. */
export function ChangePassword({ onDone, onCancel, cancel }: { onDone: () => void; onCancel: () => void; cancel: string }) {
  const { t } = useTranslation();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const change = useMutation({
    mutationFn: async () => {
      await enter(await changePassword(current, next));
    },
    onSuccess: onDone,
  });
  const short = next !== "" && next.length < shortestPassword;
  const differs = again !== "" && again !== next;
  const ready = current !== "" && next.length >= shortestPassword && again === next;
  const toggle = { visibilityToggleButtonProps: { "aria-label": t("login.showPassword") } };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) change.mutate();
      }}
    >
      <Stack gap={12}>
        <PasswordInput
          label={t("password.current")} autoFocus autoComplete="current-password" data-testid="password-current"
          value={current} onChange={(event) => setCurrent(event.currentTarget.value)} {...toggle}
        />
        <PasswordInput
          label={t("password.next")} description={t("password.rule", { count: shortestPassword })} autoComplete="new-password"
          data-testid="password-next" error={short ? t("password.short", { count: shortestPassword }) : false}
          value={next} onChange={(event) => setNext(event.currentTarget.value)} {...toggle}
        />
        <PasswordInput
          label={t("password.again")} autoComplete="new-password" data-testid="password-again"
          error={differs ? t("password.differs") : false}
          value={again} onChange={(event) => setAgain(event.currentTarget.value)} {...toggle}
        />
        {change.isError && <Refusal>{explain(change.error)}</Refusal>}
        <Button type="submit" mt={4} disabled={!ready} loading={change.isPending} data-testid="password-submit">
          {t("password.submit")}
        </Button>
        <Button variant="subtle" color="gray" onClick={onCancel}>{cancel}</Button>
      </Stack>
    </form>
  );
}
