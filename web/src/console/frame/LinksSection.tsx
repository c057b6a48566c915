import { useQuery } from "@tanstack/react-query";
import { ArrowLeft, ArrowRight } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { api, ok } from "../../shared/api/client";
import { word } from "../../shared/i18n/words";
import { visible } from "../../shared/visible";
import { Failed } from "../../shared/ui/States";
import { DetailSection } from "./DetailPanel";
import classes from "./LinksSection.module.css";
import { Time } from "./Time";
import { objectAddress } from "./rooms";

/** What an object is linked to, in either direction; the server shows only what this person may see. */
export function LinksSection({ type, id }: { type: string; id: string }) {
  const { t } = useTranslation();
  const links = useQuery({ queryKey: ["links", type, id], queryFn: () => ok(api.GET("/api/v1/links", { params: { query: { type, id } } })) });
  if (links.isPending || links.data?.length === 0) return null;
  return (
    <DetailSection title={t("frame.links")}>
      {links.isError ? <Failed error={links.error} retry={() => void links.refetch()} /> : (
        <ul className={classes["links"]}>
          {links.data.map(({ id: link, kind, incoming, other, title, created }) => {
            const Arrow = incoming ? ArrowLeft : ArrowRight;
            const name = `${word("objectType", other.type)} ${visible(title.title)}`;
            const address = objectAddress(other.type, other.id);
            return (
              <li key={link}>
                <Arrow size={14} aria-hidden />
                <span className={classes["kind"]}>{incoming ? word("linkKindBack", kind) : word("linkKind", kind)}</span>
                {address === null ? <span>{name}</span> : <Link href={address}>{name}</Link>}
                <span className={classes["at"]}><Time at={created} /></span>
              </li>
            );
          })}
        </ul>
      )}
    </DetailSection>
  );
}
