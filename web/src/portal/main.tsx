import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Portal } from "./Portal";
import "./portal.css";

const root = document.getElementById("portal");
if (root) createRoot(root).render(<StrictMode><Portal /></StrictMode>);
