/** Whether a dialogue or menu was open when the key was pressed: Escape closes it, and only it. */
let open = false;
// Listened for before any dialogue hears the key.
window.addEventListener(
  "keydown",
  () => {
    open = document.querySelector("[role=dialog],[role=menu]") !== null;
  },
  { capture: true },
);

export const inDialogue = (): boolean => open;
