import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { explain, word } from "../../shared/i18n/words";
import { login } from "./calls";
import { Frame } from "./Frame";
import { OtherWays } from "./OtherWays";
import { Refusal } from "./Refusal";
import { refusalAtArrival } from "./arrival";
import { enter } from "./session";

export function Login() {
  const { t } = useTranslation();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const refused = refusalAtArrival();
  const attempt = useMutation({ mutationFn: () => login(username.trim(), password), onSuccess: enter });

  return (
    <Frame title={t("login.title")}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          attempt.mutate();
        }}
      >
        <Stack gap={12}>
          <TextInput
            label={t("login.username")} size="md" required withAsterisk={false} autoFocus autoComplete="username"
            autoCapitalize="none" spellCheck={false} data-testid="login-username"
            value={username} onChange={(event) => setUsername(event.currentTarget.value)}
          />
          <PasswordInput
            label={t("login.password")} size="md" required withAsterisk={false} autoComplete="current-password"
            data-testid="login-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)}
            visibilityToggleButtonProps={{ "aria-label": t("login.showPassword") }}
          />
          {attempt.isIdle && refused && <Refusal>{word("problem", refused)}</Refusal>}
          {attempt.isError && <Refusal>{explain(attempt.error)}</Refusal>}
          <Button type="submit" size="md" mt={4} loading={attempt.isPending} data-testid="login-submit">
            {t("login.submit")}
          </Button>
        </Stack>
      </form>
      <OtherWays />
    </Frame>
  );
}
