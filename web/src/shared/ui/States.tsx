/** The states every list and panel shares: loading (after 200 ms), empty, failed, forbidden. */
import { Button, Skeleton, Stack, Text } from "@mantine/core";
import { CircleSlash, type LucideIcon, RotateCcw, SearchX, ShieldOff, TriangleAlert, WifiOff } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/errors";
import { explain } from "../i18n/words";
import classes from "./States.module.css";

export function Loading({ rows = 6 }: { rows?: number }) {
  const { t } = useTranslation();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Stack gap={8} p="md" role="status" aria-label={t("state.loading")} mih={32}>
      {late && Array.from({ length: rows }, (_, i) => <Skeleton key={i} height={16} width={`${92 - (i % 3) * 14}%`} />)}
    </Stack>
  );
}

interface NoticeProps {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
}
function Notice({ icon: Icon, title, children }: NoticeProps) {
  return (
    <div className={classes.notice}>
      <Icon size={22} strokeWidth={1.5} aria-hidden />
      <Text fw={600}>{title}</Text>
      {children}
    </div>
  );
}

export function Empty({ title, hint }: { title: string; hint?: string }) {
  return (
    <Notice icon={CircleSlash} title={title}>
      {hint && <Text c="dimmed" maw={360} ta="center">{hint}</Text>}
    </Notice>
  );
}

export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  const status = error instanceof ApiError ? error.status : -1;
  if (status === 403) return <Notice icon={ShieldOff} title={t("state.forbidden")}><Text c="dimmed">{t("state.forbiddenHint")}</Text></Notice>;
  if (status === 404) return <Notice icon={SearchX} title={t("state.absent")}><Text c="dimmed" maw={420} ta="center">{explain(error)}</Text></Notice>;
  const Icon = status === 0 ? WifiOff : TriangleAlert;
  return (
    <div role="alert">
      <Notice icon={Icon} title={t(status === 0 ? "state.offline" : "state.failed")}>
        <Text c="dimmed" maw={420} ta="center">{explain(error)}</Text>
        {retry && (
          <Button mt={4} variant="default" size="xs" leftSection={<RotateCcw size={14} />} onClick={retry}>
            {t("action.retry")}
          </Button>
        )}
      </Notice>
    </div>
  );
}
