/** What a room builds its desk with. Its declaration comes from "./room", which is small enough to be loaded first. */
export { DetailPanel, DetailSection, Facts, type Fact } from "./DetailPanel";
export type { FilterSpec } from "./FilterBar";
export { LinksSection } from "./LinksSection";
export { ListPage, type ListPageProps, type ListQuery } from "./ListPage";
export { ObjectJournal } from "./ObjectJournal";
export { Plain } from "./Plain";
export { Queue, type QueueRow } from "./Queue";
export type { Column } from "./columns";
export { StateBadge, type Tone } from "./StateBadge";
export { Time } from "./Time";
export { VerbButton, type Act } from "./VerbButton";
export type { SavedView, SavedViews } from "./Views";
export { savedViews } from "./savedViews";
