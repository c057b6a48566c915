/** A socket that all tabs of this browser share, where the browser can; else one of the tab's own. */
import type { Socket } from "./connection";
import type { FromTab, ToTab } from "./relay";
import LiveWorker from "./worker?sharedworker";

let broken = typeof SharedWorker === "undefined";

/** `who` is whose session it is: another person's tabs never share it. */
export function openSocket(url: string, who: string): Socket {
  return broken ? (new WebSocket(url) as Socket) : new SharedSocket(who);
}

class SharedSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  private readonly worker: SharedWorker;
  private closed = false;
  private readonly leave = () => this.end(1001);

  constructor(who: string) {
    this.worker = new LiveWorker({ name: `vigie-live-${who}` });
    this.worker.onerror = () => {
      broken = true;
      this.end(0);
    };
    this.worker.port.onmessage = ({ data }: MessageEvent<ToTab>) => {
      if (this.closed) return;
      if ("open" in data) this.onopen?.();
      else if ("text" in data) this.onmessage?.({ data: data.text });
      else this.end(data.close);
    };
    // A tab that is put away says so; shown again, it connects anew.
    addEventListener("pagehide", this.leave);
  }

  send(text: string): void {
    this.post({ text });
  }

  close(): void {
    this.onclose = null;
    this.end(1000);
  }

  private end(code: number): void {
    if (this.closed) return;
    this.post({ bye: true });
    this.closed = true;
    removeEventListener("pagehide", this.leave);
    this.worker.port.close();
    this.onclose?.({ code });
  }

  private post(message: FromTab): void {
    if (!this.closed) this.worker.port.postMessage(message);
  }
}
