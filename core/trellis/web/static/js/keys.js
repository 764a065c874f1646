// Keys by position, so that they hold in the Russian layout. An element says its key by data-key="KeyC".
import { openPalette } from "./palette.js";

const GO = { KeyH: "", KeyT: "activity?view=my-tasks", KeyM: "model" };
let going = 0;

const lettersOn = () => localStorage.getItem("trellis-keys") !== "off";

function typing(target) {
  return target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
}

function press(code) {
  const scope = document.querySelector("dialog[open]") ?? document;
  const found = [...scope.querySelectorAll(`[data-key="${code}"]`)].find((item) => item.offsetParent);
  if (!found) return false;
  if (found.matches("input")) found.focus();
  else found.click();
  return true;
}

function letter(event) {
  if (event.code === "KeyG") {
    going = Date.now();
    return false;
  }
  if (Date.now() - going < 1200 && event.code in GO) {
    going = 0;
    const home = document.querySelector(".nav a")?.getAttribute("href") ?? "/";
    location.href = `${home.replace(/\/$/, "")}/${GO[event.code]}`;
    return true;
  }
  if (event.key === "?" || (event.code === "Slash" && event.shiftKey)) {
    document.getElementById("keys")?.showModal();
    return true;
  }
  return press(event.code);
}

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.code === "KeyK" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      openPalette();
      return;
    }
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!plain || event.defaultPrevented || typing(event.target) || !lettersOn()) return;
    if (letter(event)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys]")) document.getElementById("keys")?.showModal();
  });
  const choices = [...document.querySelectorAll("[data-keys-on]")];
  for (const choice of choices) {
    choice.checked = lettersOn();
    choice.addEventListener("change", () => {
      localStorage.setItem("trellis-keys", choice.checked ? "on" : "off");
      for (const other of choices) other.checked = choice.checked;
    });
  }
}
