// The citizens' pages: a build of their own, so that nothing of the console is served to everyone.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: "src/portal",
  publicDir: "../../public",
  plugins: [react()],
  build: { target: "es2022", sourcemap: false, outDir: "../../dist/portal", emptyOutDir: true },
  server: { proxy: { "/public": { target: process.env["VIGIE_PUBLIC_URL"] ?? "http://127.0.0.1:8081" } } },
});
