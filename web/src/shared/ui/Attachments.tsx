/** The files of an object: dropped, pasted, chosen or photographed; shown, captioned, taken away. */
import { ActionIcon, Alert, Button, Group, Progress, Text, TextInput } from "@mantine/core";
import { Camera, FileText, Paperclip, X } from "lucide-react";
import { type ClipboardEvent, type DragEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Attachment, type Uploaded, fileAddress, uploadFile } from "../api/upload";
import { explain } from "../i18n/words";
import classes from "./Attachments.module.css";

interface Props {
  items: Attachment[];
  /** Called with each file that is kept; the room attaches it to its object. Without it, nothing is added. */
  onUploaded?: (file: Uploaded) => Promise<void> | void;
  onCaption?: ((item: Attachment, caption: string) => void) | undefined;
  onRemove?: ((item: Attachment) => void) | undefined;
  evidence?: boolean;
}

interface Sending {
  key: number;
  name: string;
  part: number;
  stop: AbortController;
  error?: string;
}

let keys = 0;

export function Attachments({ items, onUploaded, onCaption, onRemove, evidence = false }: Props) {
  const { t } = useTranslation();
  const [sending, setSending] = useState<Sending[]>([]);
  const [over, setOver] = useState(false);
  const chooser = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const running = useRef(new Set<AbortController>());

  useEffect(() => {
    const all = running.current;
    return () => all.forEach((stop) => stop.abort());
  }, []);

  const change = (key: number, patch: Partial<Sending>) =>
    setSending((list) => list.map((one) => (one.key === key ? { ...one, ...patch } : one)));
  const drop = (key: number) => setSending((list) => list.filter((one) => one.key !== key));

  async function send(file: File) {
    const key = ++keys;
    const stop = new AbortController();
    running.current.add(stop);
    setSending((list) => [...list, { key, name: file.name, part: 0, stop }]);
    try {
      const kept = await uploadFile(file, { evidence, signal: stop.signal, progress: (part) => change(key, { part }) });
      await onUploaded?.(kept);
      drop(key);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") drop(key);
      else change(key, { error: explain(error) });
    } finally {
      running.current.delete(stop);
    }
  }

  // One after the other: a person's uploads at once are few, and the first is seen first.
  async function add(files: Iterable<File>) {
    if (!onUploaded) return;
    for (const file of [...files]) await send(file);
  }

  function dropped(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    void add(event.dataTransfer.files);
  }

  function pasted(event: ClipboardEvent) {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    void add(event.clipboardData.files);
  }

  return (
    <section
      className={classes.zone} data-over={over} aria-label={t("files.title")} onPaste={pasted} onDrop={dropped}
      onDragOver={(event) => { event.preventDefault(); setOver(Boolean(onUploaded)); }} onDragLeave={() => setOver(false)}
    >
      {items.length === 0 && !onUploaded && <Text c="dimmed">{t("files.none")}</Text>}
      <ul className={classes.items}>
        {items.map((item) => <Item key={item.id} item={item} onCaption={onCaption} onRemove={onRemove} />)}
      </ul>
      <div aria-live="polite">
        {sending.map((one) => one.error === undefined ? (
          <Group key={one.key} gap={8} wrap="nowrap">
            <Progress value={one.part * 100} flex={1} aria-label={t("files.sending", { name: one.name })} />
            <Text size="xs" truncate maw={160}>{one.name}</Text>
            <Button size="compact-xs" variant="default" onClick={() => one.stop.abort()}>{t("files.cancel")}</Button>
          </Group>
        ) : (
          <Alert
            key={one.key} color="red" role="alert" withCloseButton closeButtonLabel={t("files.dismiss")}
            onClose={() => drop(one.key)}
          >
            {t("files.failed", { name: one.name, why: one.error })}
          </Alert>
        ))}
      </div>
      {onUploaded && (
        <Group gap={8}>
          <Button size="xs" variant="default" leftSection={<Paperclip size={14} />} onClick={() => chooser.current?.click()}>
            {t("files.add")}
          </Button>
          <Button size="xs" variant="default" leftSection={<Camera size={14} />} onClick={() => camera.current?.click()}>
            {t("files.photo")}
          </Button>
          <Text size="xs" c="dimmed">{t("files.drop")}</Text>
          {[{ ref: chooser, take: false }, { ref: camera, take: true }].map(({ ref, take }) => (
            <input
              key={String(take)} ref={ref} type="file" hidden multiple={!take}
              {...(take ? { accept: "image/*", capture: "environment" as const } : {})}
              onChange={(event) => { const chosen = [...(event.target.files ?? [])]; event.target.value = ""; void add(chosen); }}
            />
          ))}
        </Group>
      )}
    </section>
  );
}

function Item({ item, onCaption, onRemove }: { item: Attachment } & Pick<Props, "onCaption" | "onRemove">) {
  const { t } = useTranslation();
  const [caption, setCaption] = useState(item.caption);
  const name = item.file.name;
  const address = fileAddress(item.file.id);
  return (
    <li>
      <a
        className={classes.picture} href={address} target="_blank" rel="noreferrer" aria-label={t("files.open", { name })}
        title={item.file.scan === "not_scanned" ? t("files.notScanned") : name}
      >
        {item.file.thumbnails.length > 0
          ? <img src={`${address}/thumbnail?size=small`} alt={item.caption || name} loading="lazy" />
          : <FileText size={28} strokeWidth={1.5} aria-hidden />}
      </a>
      <Group gap={4} wrap="nowrap">
        <Text size="xs" truncate flex={1} title={name}>{name}</Text>
        {onRemove && (
          <ActionIcon size="xs" variant="subtle" aria-label={t("files.remove", { name })} onClick={() => onRemove(item)}>
            <X size={12} />
          </ActionIcon>
        )}
      </Group>
      {onCaption ? (
        <TextInput
          size="xs" aria-label={t("files.caption")} placeholder={t("files.caption")} value={caption} maxLength={500}
          onChange={(event) => setCaption(event.currentTarget.value)}
          onBlur={() => { if (caption !== item.caption) onCaption(item, caption); }}
        />
      ) : item.caption && <Text size="xs" c="dimmed">{item.caption}</Text>}
    </li>
  );
}
