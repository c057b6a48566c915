import { Button, CopyButton, Group, Modal, Text } from "@mantine/core";
import { Check, Copy } from "lucide-react";
import { useTranslation } from "react-i18next";
import classes from "./Admin.module.css";

export interface SecretText {
  title: string;
  text: string;
}

/** A password or token that is shown once. */
export function Secret({ secret, onClose }: { secret: SecretText | null; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened={secret !== null} onClose={onClose} title={secret?.title} closeOnClickOutside={false} closeButtonProps={{ "aria-label": t("action.close") }}>
      <Text c="dimmed" mb={8}>{t("secret.once")}</Text>
      <code className={classes["secret"]} data-testid="secret">{secret?.text}</code>
      <Group mt={12} justify="flex-end">
        <CopyButton value={secret?.text ?? ""}>
          {({ copied, copy }) => (
            <Button variant="default" leftSection={copied ? <Check size={15} /> : <Copy size={15} />} onClick={copy}>{t(copied ? "secret.copied" : "secret.copy")}</Button>
          )}
        </CopyButton>
        <Button onClick={onClose}>{t("action.close")}</Button>
      </Group>
    </Modal>
  );
}
