import { Button, Kbd, Modal, Table } from "@mantine/core";
import i18next from "i18next";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { word } from "../../shared/i18n/words";
import { isAt } from "../frame/room";
import { useDesks } from "../frame/rooms";
import { usePreferences } from "../own/preferences";
import { useDesk } from "../state/desk";
import classes from "./Shortcuts.module.css";
import { useTour } from "./tour";

type Row = [keys: string[], what: string];

function Keys({ title, rows }: { title: string; rows: Row[] }) {
  return (
    <>
      <h3 className={classes["title"]}>{title}</h3>
      <Table verticalSpacing={5}>
        <Table.Tbody>
          {rows.map(([keys, what], i) => (
            <Table.Tr key={i}>
              <Table.Td w={170}>{keys.map((name) => <Kbd key={name} mr={4}>{name}</Kbd>)}</Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </>
  );
}

/** Help by screen: what this one is for, its keys, and those that work everywhere. */
export function Shortcuts() {
  const { t } = useTranslation();
  const desks = useDesks();
  const [path] = useLocation();
  const { preferences } = usePreferences();
  const opened = useDesk((desk) => desk.shortcuts);
  const set = useDesk((desk) => desk.set);
  const here = desks.find((desk) => isAt(desk, path));
  const list: Row[] = [
    [["J", "K"], t("shortcuts.list_rows")],
    [[t("shortcuts.enter")], t("shortcuts.openRow")],
    [["F"], t("shortcuts.filter")],
  ];
  const map: Row[] = [
    [["L"], t("shortcuts.list")],
    [["B"], t("shortcuts.box")],
    [[t("shortcuts.shift"), t("shortcuts.drag")], t("shortcuts.boxDrag")],
    [["Ctrl", t("shortcuts.click")], t("shortcuts.toggle")],
    [["R"], t("shortcuts.recall")],
    [["←", "↑", "→", "↓"], t("shortcuts.pan")],
    [["+", "−"], t("shortcuts.zoom")],
    [[t("shortcuts.enter"), t("shortcuts.space")], t("shortcuts.middle")],
    [["↑", "↓", t("shortcuts.enter"), t("shortcuts.space")], t("shortcuts.rows")],
  ];
  const everywhere: Row[] = [
    [["Ctrl", "K"], t("shortcuts.commandBar")],
    [["/"], t("shortcuts.commandBar")],
    ...desks.flatMap(({ go, name }): Row[] => (go ? [[["G", go.toUpperCase()], word("desk", name)]] : [])),
    ...Object.entries(preferences.digits ?? {}).map(([digit, place]): Row => [[digit], place]),
    [["G", "1–9"], t("shortcuts.keep")],
    [["1–9"], t("shortcuts.digits")],
    [["P"], t("shortcuts.panel")],
    [[t("shortcuts.escape")], t("shortcuts.close")],
    [["?"], t("shortcuts.title")],
  ];
  const about = here && i18next.exists(`help.${here.name}`) ? word("help", here.name) : null;
  const close = () => set({ shortcuts: false });
  return (
    <Modal
      opened={opened} onClose={close} title={here ? t("shortcuts.helpOf", { desk: word("desk", here.name) }) : t("shortcuts.title")}
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      {about && <p className={classes["about"]}>{about}</p>}
      <Keys title={t("shortcuts.here")} rows={path === "/" ? map : list} />
      <Keys title={t("shortcuts.everywhere")} rows={everywhere} />
      <Button
        mt={12} size="xs" variant="default"
        onClick={() => {
          close();
          useTour.getState().go(0);
        }}
      >
        {t("tour.again")}
      </Button>
    </Modal>
  );
}
