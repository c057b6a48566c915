/** Sending a file, with progress: fetch cannot tell how far it is, so this is the one XMLHttpRequest. */
import { csrfHeader } from "./client";
import { ApiError, type Problem } from "./errors";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Uploaded = Schemas["Uploaded"];
export type Attachment = Schemas["Attachment"];

export const fileAddress = (id: string) => `/api/v1/files/${encodeURIComponent(id)}`;

export function uploadFile(
  file: File, options: { evidence?: boolean; signal?: AbortSignal; progress?: (part: number) => void } = {},
): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    const sender = new XMLHttpRequest();
    const query = new URLSearchParams({ name: file.name, evidence: String(options.evidence ?? false) });
    sender.open("POST", `/api/v1/files?${query}`);
    sender.responseType = "json";
    for (const [name, value] of Object.entries(csrfHeader())) sender.setRequestHeader(name, value);
    sender.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    sender.upload.onprogress = (event) => {
      if (event.lengthComputable) options.progress?.(event.loaded / event.total);
    };
    sender.onload = () => {
      const first = (sender.response as { items?: Uploaded[] } | null)?.items?.[0];
      if (sender.status === 201 && first) resolve(first);
      else {
        const problem = (sender.response ?? {}) as Problem;
        reject(new ApiError(sender.status, problem.code ?? `http_${sender.status}`, problem));
      }
    };
    sender.onerror = () => reject(new ApiError(0, "offline", {}));
    sender.onabort = () => reject(new DOMException("", "AbortError"));
    options.signal?.addEventListener("abort", () => sender.abort(), { once: true });
    sender.send(file);
  });
}
