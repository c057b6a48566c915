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
import { useTheme } from "./state/theme";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has lost its root element.");

onUnauthorised(forget);
await startI18n();
function Themed() {
  const scheme = useTheme((chosen) => chosen.scheme);
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} forceColorScheme={scheme}>
      <QueryClientProvider client={queryClient}>
        <App />
      </QueryClientProvider>
    </MantineProvider>
  );
}
createRoot(root).render(<Themed />);
