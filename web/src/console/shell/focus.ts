/** Where the keyboard goes when the person asks for a part of the screen. */

export function focusCommandBar(): void {
  document.querySelector<HTMLInputElement>("[data-command-bar]")?.focus();
}

/** The newest panel; once it is there: its code may still be on its way. */
export function focusTopPanel(): void {
  let tries = 60;
  const look = () => {
    const head = document.querySelector<HTMLElement>("[data-dock] h2");
    if (head) head.focus();
    else if (tries-- > 0) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** From a field to the head of its panel: what is typed there stays. */
export function leaveField(field: HTMLElement): boolean {
  if (field.getAttribute("aria-expanded") === "true") return false;
  const head = field.closest("[data-dock] section[data-testid]")?.querySelector<HTMLElement>("h2");
  head?.focus();
  return head !== null && head !== undefined;
}
