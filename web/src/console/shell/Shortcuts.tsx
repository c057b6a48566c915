import { Kbd, Modal, Table } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { word } from "../../shared/i18n/words";
import { useDesks } from "../frame/rooms";
import { useDesk } from "../state/desk";

export function Shortcuts() {
  const { t } = useTranslation();
  const desks = useDesks();
  const opened = useDesk((desk) => desk.shortcuts);
  const set = useDesk((desk) => desk.set);
  const rows: [string[], string][] = [
    [["Ctrl", "K"], t("shortcuts.commandBar")],
    [["/"], t("shortcuts.commandBar")],
    ...desks.flatMap(({ go, name }): [string[], string][] => (go ? [[["G", go.toUpperCase()], word("desk", name)]] : [])),
    [["J", "K"], t("shortcuts.list_rows")],
    [["F"], t("shortcuts.filter")],
    [["P"], t("shortcuts.panel")],
    [["L"], t("shortcuts.list")],
    [["B"], t("shortcuts.box")],
    [[t("shortcuts.shift"), t("shortcuts.drag")], t("shortcuts.boxDrag")],
    [["Ctrl", t("shortcuts.click")], t("shortcuts.toggle")],
    [["←", "↑", "→", "↓"], t("shortcuts.pan")],
    [["+", "−"], t("shortcuts.zoom")],
    [[t("shortcuts.enter"), t("shortcuts.space")], t("shortcuts.middle")],
    [["↑", "↓", t("shortcuts.enter"), t("shortcuts.space")], t("shortcuts.rows")],
    [[t("shortcuts.escape")], t("shortcuts.close")],
    [["?"], t("shortcuts.title")],
  ];
  return (
    <Modal
      opened={opened} onClose={() => set({ shortcuts: false })} title={t("shortcuts.title")}
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
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
    </Modal>
  );
}
