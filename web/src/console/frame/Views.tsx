import { ActionIcon, Button, Menu, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Bookmark, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { explain } from "../../shared/i18n/words";
import { Refusal } from "../session/Refusal";

export interface SavedView {
  id: string;
  name: string;
  /** The search part of the list's address. */
  query: string;
}

/** How a list's views are kept; the server keeps them, for a person or for all. */
export interface SavedViews {
  key: readonly unknown[];
  load: () => Promise<readonly SavedView[]>;
  save: (name: string, query: string) => Promise<unknown>;
  remove: (id: string) => Promise<unknown>;
}

export function Views({ views, search, onChoose }: { views: SavedViews; search: string; onChoose: (query: string) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const saved = useQuery({ queryKey: views.key, queryFn: views.load });
  const again = () => client.invalidateQueries({ queryKey: views.key });
  const save = useMutation({
    mutationFn: () => views.save(name.trim(), search),
    onSuccess: () => {
      setName("");
      return again();
    },
  });
  const remove = useMutation({ mutationFn: views.remove, onSettled: again });
  return (
    <Menu position="bottom-end" width={280} closeOnItemClick={false}>
      <Menu.Target>
        <Button size="xs" variant="default" leftSection={<Bookmark size={14} aria-hidden />}>{t("frame.views")}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {saved.data?.map((view) => (
          <Menu.Item
            key={view.id} onClick={() => onChoose(view.query)}
            rightSection={(
              <ActionIcon
                component="span" size="sm" variant="subtle" color="gray" aria-label={t("frame.dropView", { name: view.name })}
                onClick={(event) => {
                  event.stopPropagation();
                  remove.mutate(view.id);
                }}
              >
                <Trash2 size={13} />
              </ActionIcon>
            )}
          >
            {view.name}
          </Menu.Item>
        ))}
        <form
          style={{ display: "flex", gap: 8, padding: 8 }}
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim()) save.mutate();
          }}
        >
          <TextInput flex={1} size="xs" aria-label={t("frame.viewName")} placeholder={t("frame.viewName")} maxLength={60} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Button type="submit" size="xs" disabled={!name.trim()} loading={save.isPending}>{t("frame.saveView")}</Button>
        </form>
        {(save.isError || remove.isError || saved.isError) && <Refusal>{explain(save.error ?? remove.error ?? saved.error)}</Refusal>}
      </Menu.Dropdown>
    </Menu>
  );
}
