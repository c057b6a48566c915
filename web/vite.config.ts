import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env["VIGIE_URL"] ?? "http://127.0.0.1:8080";
const proxy = { "/api": { target: server, ws: true } };

export default defineConfig({
  plugins: [react()],
  build: { target: "es2022", sourcemap: false, chunkSizeWarningLimit: 1600 },
  server: { proxy },
  preview: { proxy },
  test: { include: ["tests/**/*.test.ts", "src/**/*.test.ts"] },
});
