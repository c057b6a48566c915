/** `npm run mock`: the built screens under the server's own security headers, in front of the mock. */
import { defineConfig } from "vite";
import { startMock } from "./mock-server.ts";

const port = Number(process.env["MOCK_PORT"] ?? 8190);
const lights = Number(process.env["MOCK_LIGHTS"] ?? 34_000);
startMock(port, lights, Number(process.env["MOCK_RATE"] ?? 600));

export default defineConfig({
  preview: {
    port: Number(process.env["WEB_PORT"] ?? 8191),
    strictPort: true,
    proxy: { "/api": { target: `http://127.0.0.1:${port}`, ws: true } },
    headers: {
      "Content-Security-Policy":
        "default-src 'self'; script-src 'self'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self' ws: wss:",
    },
  },
});
