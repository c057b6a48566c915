import { Button, Divider, Stack } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Fingerprint } from "lucide-react";
import { useTranslation } from "react-i18next";
import { getWays, loginAtProvider, loginWithPasskey, passkeyChallenge } from "./calls";
import { explain } from "../../shared/i18n/words";
import { Refusal } from "./Refusal";
import { NoPasskey, answerPasskey, passkeysHere } from "./passkey";
import { enter } from "./session";

export const waysQuery = { queryKey: ["ways"], queryFn: getWays, staleTime: 300_000 };

/** In words, why a passkey did not open. */
export function usePasskeyRefusal(): (error: unknown) => string {
  const { t } = useTranslation();
  return (error) => (error instanceof NoPasskey ? t("signin.passkeyCancelled") : explain(error));
}

/** Beside the password: a passkey, and the login services of the installation. */
export function OtherWays() {
  const { t, i18n } = useTranslation();
  const why = usePasskeyRefusal();
  const ways = useQuery(waysQuery).data;
  const passkey = useMutation({
    mutationFn: async () => loginWithPasskey(await answerPasskey((await passkeyChallenge()).public_key)),
    onSuccess: enter,
  });
  const offered = ways?.passkeys === true && passkeysHere();
  if (!ways || (!offered && ways.providers.length === 0)) return null;
  return (
    <Stack gap={8} mt={16}>
      <Divider label={t("signin.or")} labelPosition="center" />
      {passkey.isError && <Refusal>{why(passkey.error)}</Refusal>}
      {offered && (
        <Button variant="default" leftSection={<Fingerprint size={17} aria-hidden />} loading={passkey.isPending} onClick={() => passkey.mutate()} data-testid="login-passkey">
          {t("signin.passkey")}
        </Button>
      )}
      {ways.providers.map(({ name, label }) => (
        <Button key={name} component="a" href={loginAtProvider(name)} variant="default" data-testid={`login-${name}`}>
          {t("signin.with", { name: label[i18n.language] ?? name })}
        </Button>
      ))}
    </Stack>
  );
}
