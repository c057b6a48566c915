import { UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Draft } from "../../../console/state/desk";
import { useFormat } from "../../../console/state/server";
import type { Asset, KindSpec } from "../../../shared/api/types";
import { kindWord, orderWord } from "../kindWords";
import { OrderForm } from "./OrderForm";
import { ordersOf } from "./params";
import classes from "./orders.module.css";

interface Props {
  /** The equipment chosen, by kind. */
  chosen: ReadonlyMap<KindSpec, readonly number[]>;
  asset?: Asset;
  /** An order given before: it is open, with its values and its reason. */
  draft?: Draft | null;
}

/** What may be asked of some equipment: the one order there is, open; of several, the one that is pressed. */
export function Orders({ chosen, asset, draft = null }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const orders = ordersOf([...chosen.keys()]);
  const only = orders.length === 1 ? orders[0]?.command.verb : undefined;
  const [pressed, setPressed] = useState<string | null>(draft?.verb ?? null);
  const open = only ?? pressed;
  const several = chosen.size > 1;
  return (
    <div className={classes["orders"]}>
      {orders.map(({ command, kinds }) => {
        const assets = kinds.flatMap((kind) => chosen.get(kind) ?? []);
        const kind = kinds[0];
        if (!kind) return null;
        const isOpen = open === command.verb;
        return (
          <div key={command.verb} className={classes["order"]} data-open={isOpen || undefined}>
            {only === undefined && (
              <UnstyledButton
                className={classes["verb"]} aria-expanded={isOpen} data-testid={`verb-${command.verb}`}
                onClick={() => setPressed(isOpen ? null : command.verb)}
              >
                <span>{orderWord(command.verb)}</span>
                {several && <span className={classes["whom"]}>{t("order.whom", { kinds: kinds.map(({ name }) => kindWord(name)).join(", "), n: format.number(assets.length) })}</span>}
              </UnstyledButton>
            )}
            {isOpen && <OrderForm command={command} kind={kind} assets={assets} asset={asset} draft={draft?.verb === command.verb ? draft : null} />}
          </div>
        );
      })}
    </div>
  );
}
