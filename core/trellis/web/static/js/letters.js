// The editor of mail templates: a click on a field puts it where the cursor stood last in the subject or the text.
let last = null;

export function startLetters() {
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("#letter-form [name=subject], #letter-form [name=body]")) last = event.target;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-insert]");
    if (!button) return;
    const field = last?.isConnected ? last : document.querySelector("#letter-form [name=body]");
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
