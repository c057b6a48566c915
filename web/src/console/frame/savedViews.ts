/** The saved views of one list, as the server keeps them: `views={savedViews("logbook.entries")}`. */
import { api, ok } from "../../shared/api/client";
import type { components } from "../../shared/api/schema";
import type { SavedView, SavedViews } from "./Views";

type View = components["schemas"]["View"];

const queryOf = ({ filter, sort }: Pick<View, "filter" | "sort">): string => {
  const query = new URLSearchParams();
  if (filter) query.set("filter", filter);
  if (sort) query.set("sort", sort);
  return query.toString();
};

const shown = (view: View): SavedView => ({
  id: view.id, name: view.title, query: queryOf(view), own: view.own, isDefault: view.default, shared: view.shared !== null,
});

export const savedViews = (list: string): SavedViews => ({
  key: ["views", list],
  load: async () => (await ok(api.GET("/api/v1/views", { params: { query: { list } } }))).map(shown),
  save: (title, search, municipality) => {
    const given = new URLSearchParams(search);
    return ok(api.POST("/api/v1/views", {
      body: {
        list, title, filter: given.get("filter") ?? "", sort: given.get("sort") ?? "", columns: [],
        shared: municipality === null ? null : { role: "*", municipality },
      },
    }));
  },
  remove: (view_id) => ok(api.DELETE("/api/v1/views/{view_id}", { params: { path: { view_id } } })),
  setDefault: (view_id, wanted) => {
    const params = { path: { view_id } };
    return wanted ? ok(api.PUT("/api/v1/views/{view_id}/default", { params })) : ok(api.DELETE("/api/v1/views/{view_id}/default", { params }));
  },
});
