import { Button, Group, Menu, Select, TextInput, Tooltip } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Bookmark, Star, Trash2, Users } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { explain } from "../../shared/i18n/words";
import { Refusal } from "../session/Refusal";
import { useCan, useSession } from "../session/session";
import { useMunicipality } from "../state/server";

export interface SavedView {
  id: string;
  name: string;
  /** The search part of the list's address. */
  query: string;
  /** One's own to remove; others are shared by a colleague. */
  own: boolean;
  shared: boolean;
  /** The list opens with it. */
  isDefault: boolean;
}

/** How a list's views are kept: `savedViews("logbook.entries")`. */
export interface SavedViews {
  key: readonly unknown[];
  load: () => Promise<readonly SavedView[]>;
  /** Shared with colleagues of a municipality ("*": all), or kept to oneself (null). */
  save: (name: string, query: string, municipality: string | null) => Promise<unknown>;
  remove: (id: string) => Promise<unknown>;
  setDefault: (id: string, wanted: boolean) => Promise<unknown>;
}

/** Where this person may share: the places of their grants. */
function usePlaces() {
  const { t } = useTranslation();
  const municipality = useMunicipality();
  const { grants } = useSession();
  const places = [...new Set(grants.map((grant) => grant.municipality))];
  return places.map((place) => ({ value: place, label: t("views.sharedIn", { place: place === "*" ? t("user.everywhere") : municipality(place) }) }));
}

export function Views({ views, search, fresh, onChoose }: { views: SavedViews; search: string; fresh: boolean; onChoose: (query: string, replace: boolean) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const can = useCan();
  const places = usePlaces();
  const [name, setName] = useState("");
  const [place, setPlace] = useState("");
  const saved = useQuery({ queryKey: views.key, queryFn: views.load });
  const again = () => client.invalidateQueries({ queryKey: views.key });
  const save = useMutation({
    mutationFn: () => views.save(name.trim(), search, place || null),
    onSuccess: () => {
      setName("");
      return again();
    },
  });
  const remove = useMutation({ mutationFn: views.remove, onSettled: again });
  const prefer = useMutation({ mutationFn: (view: SavedView) => views.setDefault(view.id, !view.isDefault), onSettled: again });

  // Once, when the list is opened without a word of what to show.
  const opened = useRef(!fresh);
  useEffect(() => {
    if (opened.current || !saved.data) return;
    opened.current = true;
    const usual = saved.data.find((view) => view.isDefault);
    if (usual && fresh) onChoose(usual.query, true);
  }, [saved.data, fresh, onChoose]);

  return (
    <Menu position="bottom-end" width={320} closeOnItemClick={false}>
      <Menu.Target>
        <Button size="xs" variant="default" leftSection={<Bookmark size={14} aria-hidden />} data-testid="views">{t("frame.views")}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {saved.data?.map((view) => (
          <Group key={view.id} gap={2} wrap="nowrap">
            <Menu.Item onClick={() => onChoose(view.query, false)} aria-current={view.query === search || undefined} data-testid="view" leftSection={view.shared && <Users size={13} aria-label={t("views.shared")} />}>
              {view.name}
            </Menu.Item>
            <Tooltip label={t(view.isDefault ? "views.isDefault" : "views.makeDefault")}>
              <Menu.Item w="auto" p={6} aria-label={`${t(view.isDefault ? "views.isDefault" : "views.makeDefault")} : ${view.name}`} aria-pressed={view.isDefault} onClick={() => prefer.mutate(view)} data-testid="view-default">
                <Star size={14} fill={view.isDefault ? "currentColor" : "none"} aria-hidden />
              </Menu.Item>
            </Tooltip>
            {view.own && (
              <Menu.Item w="auto" p={6} aria-label={t("frame.dropView", { name: view.name })} onClick={() => remove.mutate(view.id)}>
                <Trash2 size={14} aria-hidden />
              </Menu.Item>
            )}
          </Group>
        ))}
        <form
          style={{ display: "flex", flexDirection: "column", gap: 8, padding: 8 }}
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim()) save.mutate();
          }}
        >
          <Group gap={8} wrap="nowrap">
            <TextInput flex={1} size="xs" aria-label={t("frame.viewName")} placeholder={t("frame.viewName")} maxLength={60} value={name} onChange={(event) => setName(event.currentTarget.value)} data-testid="view-name" />
            <Button type="submit" size="xs" disabled={!name.trim()} loading={save.isPending} data-testid="view-save">{t("frame.saveView")}</Button>
          </Group>
          {can("core.share_views") && (
            <Select
              size="xs" aria-label={t("views.for")} data={[{ value: "", label: t("views.mine") }, ...places]} value={place} allowDeselect={false}
              comboboxProps={{ withinPortal: false }} onChange={(value) => setPlace(value ?? "")}
            />
          )}
        </form>
        {(save.isError || remove.isError || prefer.isError || saved.isError) && <Refusal>{explain(save.error ?? remove.error ?? prefer.error ?? saved.error)}</Refusal>}
      </Menu.Dropdown>
    </Menu>
  );
}
