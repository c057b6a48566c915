import { ActionIcon, Button, Menu, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { AppWindow, Lock, LockOpen, MapPinned, Monitor, MonitorUp, PanelRight, Sigma, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { explain } from "../../shared/i18n/words";
import { useRows } from "../../shared/live/live";
import { viewBox } from "../map/controller";
import { type Post, type WallTile, deletePost, listPosts, savePost, tileOf, windowOf } from "../own/calls";
import { changeWall, sendToWall, wallName } from "../own/wall";
import { Refusal } from "../session/Refusal";
import { useCan } from "../session/session";
import { type WindowState, everyWindow } from "../state/bus";
import { useDesk } from "../state/desk";
import classes from "./PostsMenu.module.css";
import { apply, openWindow } from "./windows";

const key = ["posts"];

/** Windows kept together and brought back: this one first, the others where the browser lets them open. */
function Posts() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const [title, setTitle] = useState("");
  const [blocked, setBlocked] = useState<WindowState[]>([]);
  const posts = useQuery({ queryKey: key, queryFn: listPosts });
  const again = () => client.invalidateQueries({ queryKey: key });
  const save = useMutation({
    mutationFn: async () => savePost(title.trim(), await everyWindow()),
    onSuccess: () => {
      setTitle("");
      return again();
    },
  });
  const remove = useMutation({ mutationFn: deletePost, onSettled: again });
  const restore = (post: Post) => {
    const [here, ...others] = post.windows.map(windowOf);
    if (here) apply(here, navigate);
    setBlocked(others.filter((other) => !openWindow(other)));
  };
  return (
    <>
      <Menu.Label>{t("posts.title")}</Menu.Label>
      {posts.data?.map((post) => (
        <Menu.Item
          key={post.id} leftSection={<AppWindow size={15} />} data-testid="post" closeMenuOnClick={post.windows.length === 1} onClick={() => restore(post)}
          rightSection={(
            <ActionIcon
              component="span" size="sm" variant="subtle" color="gray" aria-label={t("posts.drop", { title: post.title })}
              onClick={(event) => {
                event.stopPropagation();
                remove.mutate(post.id);
              }}
            >
              <Trash2 size={13} />
            </ActionIcon>
          )}
        >
          {post.title} <span className={classes["quiet"]}>{t("posts.windows", { count: post.windows.length })}</span>
        </Menu.Item>
      ))}
      {blocked.length > 0 && <p className={classes["note"]} role="alert">{t("posts.blocked", { count: blocked.length })}</p>}
      {blocked.map((other, i) => (
        <Menu.Item key={i} closeMenuOnClick={false} onClick={() => openWindow(other) && setBlocked(blocked.filter((one) => one !== other))}>{t("posts.openNext", { n: i + 2 })}</Menu.Item>
      ))}
      <form
        className={classes["form"]}
        onSubmit={(event) => {
          event.preventDefault();
          if (title.trim()) save.mutate();
        }}
      >
        <TextInput flex={1} size="xs" aria-label={t("posts.name")} placeholder={t("posts.name")} maxLength={60} value={title} data-testid="post-name" onChange={(event) => setTitle(event.currentTarget.value)} onKeyDown={(event) => event.stopPropagation()} />
        <Button type="submit" size="xs" disabled={!title.trim()} loading={save.isPending} data-testid="post-save">{t("posts.save")}</Button>
      </form>
      {(save.isError || remove.isError || posts.isError) && <Refusal>{explain(save.error ?? remove.error ?? posts.error)}</Refusal>}
    </>
  );
}

/** What the wall shows is chosen here; a locked wall only by who unlocks it. */
function WallPart() {
  const { t } = useTranslation();
  const can = useCan();
  const top = useDesk((desk) => desk.panels[0]);
  const wall = useRows("desk.walls").byId.get(wallName);
  const locked = wall?.locked ?? false;
  const send = useMutation({ mutationFn: (tile: WallTile) => sendToWall(tile) });
  const change = useMutation({
    mutationFn: (what: "lock" | "unlock" | "clear") => changeWall((tiles) => (what === "clear" ? [] : tiles), { locked: what === "lock", unlock: what === "unlock" }),
  });
  if (!can("core.wall")) return null;
  const item = (label: string, icon: React.ReactNode, press: () => void, testId: string, off = false) => (
    <Menu.Item closeMenuOnClick={false} leftSection={icon} disabled={off} data-testid={testId} onClick={press}>{label}</Menu.Item>
  );
  return (
    <>
      <Menu.Divider />
      <Menu.Label>{t("wall.send")}</Menu.Label>
      {item(t("wall.view"), <MapPinned size={15} />, () => send.mutate(tileOf("map", { view: viewBox() })), "wall-send-map", locked)}
      {top?.kind === "asset" && item(t("wall.object"), <PanelRight size={15} />, () => send.mutate(tileOf("asset", { asset: Number(top.id) })), "wall-send-object", locked)}
      {item(t("wall.counters"), <Sigma size={15} />, () => send.mutate(tileOf("counters")), "wall-send-counters", locked)}
      {item(t("wall.commands"), <MonitorUp size={15} />, () => send.mutate(tileOf("commands")), "wall-send-commands", locked)}
      {locked
        ? item(t("wall.unlock", { name: wall?.changed_by ?? "" }), <LockOpen size={15} />, () => change.mutate("unlock"), "wall-unlock")
        : item(t("wall.lock"), <Lock size={15} />, () => change.mutate("lock"), "wall-lock")}
      {item(t("wall.clear"), <Trash2 size={15} />, () => change.mutate("clear"), "wall-clear", locked)}
      <Menu.Item component="a" href="/wall" target="_blank" leftSection={<Monitor size={15} />}>{t("wall.open")}</Menu.Item>
      <p className={classes["note"]} role="status">{send.isSuccess && t("wall.sent")}</p>
      {(send.isError || change.isError) && <Refusal>{explain(send.error ?? change.error)}</Refusal>}
    </>
  );
}

export function PostsMenu() {
  const { t } = useTranslation();
  return (
    <Menu position="bottom-end" width={320} keepMounted={false}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={t("posts.menu")} title={t("posts.menu")} data-testid="posts-menu"><Monitor size={16} /></ActionIcon>
      </Menu.Target>
      <Menu.Dropdown><Posts /><WallPart /></Menu.Dropdown>
    </Menu>
  );
}
