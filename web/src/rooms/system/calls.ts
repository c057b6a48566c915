import { api, ok } from "../../shared/api/client";
import type { System } from "../../shared/api/types";

export const getSystem = () => ok(api.GET("/api/v1/system")) as Promise<System>;
