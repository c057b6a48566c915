/** The SharedWorker: one relay, and a port for each tab. */
import type { Socket } from "./connection";
import { type FromTab, LiveRelay } from "./relay";

const { protocol, host } = self.location;
const url = `${protocol === "https:" ? "wss" : "ws"}://${host}/api/v1/live`;
const relay = new LiveRelay(() => new WebSocket(url) as Socket);

(self as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = ({ ports: [port] }) => {
  if (!port) return;
  port.onmessage = ({ data }: MessageEvent<FromTab>) => relay.receive(port, data);
  relay.attach(port);
};
