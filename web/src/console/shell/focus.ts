/** Where the keyboard goes when the person asks for a part of the screen. */

export function focusCommandBar(): void {
  document.querySelector<HTMLInputElement>("[data-command-bar]")?.focus();
}

/** The newest panel; once it is there. */
export function focusTopPanel(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>("[data-dock] h2")?.focus());
}

/** From a field to the head of its panel: what is typed there stays. */
export function leaveField(field: HTMLElement): boolean {
  if (field.getAttribute("aria-expanded") === "true") return false;
  const head = field.closest("[data-dock] section[data-testid]")?.querySelector<HTMLElement>("h2");
  head?.focus();
  return head !== null && head !== undefined;
}
