/** Some acts ask who one is again: the dialogue, and the act once more when it is answered. */
import { Button, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Fingerprint } from "lucide-react";
import { type ReactNode, createContext, use, useCallback, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { confirmAtProvider, confirmWithPasskey, confirmWithPassword, listIdentities, passkeyChallenge } from "./calls";
import { ApiError } from "../../shared/api/errors";
import { waysQuery, usePasskeyRefusal } from "./OtherWays";
import { Refusal } from "./Refusal";
import { answerPasskey, passkeysHere } from "./passkey";

type Freshly = <T>(act: () => Promise<T>) => Promise<T>;

const FreshContext = createContext<Freshly>((act) => act());

/** Runs an act; when it asks for a fresh login, asks the person, then runs it again. */
export const useFreshly = (): Freshly => use(FreshContext);

interface Waiting {
  go: () => void;
  give: (reason: unknown) => void;
  refusal: unknown;
}

export function FreshLogin({ children }: { children: ReactNode }) {
  const [asking, setAsking] = useState(false);
  const waiting = useRef<Waiting | null>(null);
  const freshly = useCallback<Freshly>(async (act) => {
    try {
      return await act();
    } catch (refusal) {
      if (!(refusal instanceof ApiError) || refusal.code !== "fresh_login_needed") throw refusal;
      await new Promise<void>((go, give) => {
        waiting.current = { go, give, refusal };
        setAsking(true);
      });
      return await act();
    }
  }, []);
  const close = (done: boolean) => {
    setAsking(false);
    const one = waiting.current;
    waiting.current = null;
    if (done) one?.go();
    else one?.give(one.refusal);
  };
  return (
    <FreshContext value={freshly}>
      {children}
      <Confirm opened={asking} onClose={close} />
    </FreshContext>
  );
}

function Confirm({ opened, onClose }: { opened: boolean; onClose: (done: boolean) => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened={opened} onClose={() => onClose(false)} title={t("signin.confirmTitle")} zIndex={400} closeButtonProps={{ "aria-label": t("action.close") }}>
      <Form onDone={() => onClose(true)} />
    </Modal>
  );
}

function Form({ onDone }: { onDone: () => void }) {
  const { t, i18n } = useTranslation();
  const why = usePasskeyRefusal();
  const [password, setPassword] = useState("");
  const ways = useQuery(waysQuery).data;
  const linked = useQuery({ queryKey: ["identities"], queryFn: listIdentities }).data;
  const confirm = useMutation({
    mutationFn: async (by: "password" | "passkey") => {
      if (by === "password") await confirmWithPassword(password);
      else await confirmWithPasskey(await answerPasskey((await passkeyChallenge()).public_key));
    },
    onSuccess: onDone,
  });
  const away = useMutation({
    mutationFn: confirmAtProvider,
    onSuccess: ({ url }) => location.assign(url),
  });
  const error = confirm.error ?? away.error;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        confirm.mutate("password");
      }}
    >
      <Stack gap={12}>
        <Text c="dimmed">{t("signin.confirmHint")}</Text>
        <PasswordInput
          label={t("login.password")} autoComplete="current-password" data-autofocus data-testid="confirm-password" value={password}
          onChange={(event) => setPassword(event.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": t("login.showPassword") }}
        />
        {error !== null && <Refusal>{why(error)}</Refusal>}
        <Button type="submit" disabled={password === ""} loading={confirm.isPending} data-testid="confirm-submit">{t("signin.confirm")}</Button>
        {ways?.passkeys && passkeysHere() && (
          <Button variant="default" leftSection={<Fingerprint size={17} aria-hidden />} onClick={() => confirm.mutate("passkey")} data-testid="confirm-passkey">
            {t("signin.usePasskey")}
          </Button>
        )}
        {ways?.providers.filter(({ name }) => linked?.some(({ provider }) => provider === name)).map(({ name, label }) => (
          <Button key={name} variant="default" loading={away.isPending} onClick={() => away.mutate(name)}>{t("signin.with", { name: label[i18n.language] ?? name })}</Button>
        ))}
      </Stack>
    </form>
  );
}
