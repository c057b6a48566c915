import "@mantine/core/styles.css";
import "@fontsource-variable/inter/index.css";
import "../shared/ui/base.css";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { onUnauthorised } from "../shared/api/client";
import { startI18n } from "../shared/i18n";
import { cssVariables, theme } from "../shared/tokens";
import { App } from "./App";
import { forget } from "./session/session";
import { queryClient } from "./state/server";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has lost its root element.");

onUnauthorised(forget);
await startI18n();
createRoot(root).render(
  <MantineProvider theme={theme} cssVariablesResolver={cssVariables} forceColorScheme="dark">
    <QueryClientProvider client={queryClient}>
      <App />
    </QueryClientProvider>
  </MantineProvider>,
);
