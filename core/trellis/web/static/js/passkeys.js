// Passkeys: a form with data-passkey asks the server for options, the device for an answer, and sends it like any form.
import { onLoad, within } from "./vendor.js";

const canAsk = () => typeof window.PublicKeyCredential?.parseRequestOptionsFromJSON === "function";

async function options(form) {
  const token = form.elements.csrf_token.value;
  const headers = { "X-CSRF-Token": token, "HX-Request": "true" };
  const answer = await fetch(form.dataset.options, { method: "POST", headers });
  const elsewhere = answer.headers.get("HX-Redirect");
  if (elsewhere) location.assign(elsewhere);
  return answer.ok && !elsewhere ? answer.json() : null;
}

async function answer(form) {
  const asked = await options(form);
  if (!asked) return null;
  const make = form.dataset.passkey === "create";
  const publicKey = make
    ? PublicKeyCredential.parseCreationOptionsFromJSON(asked)
    : PublicKeyCredential.parseRequestOptionsFromJSON(asked);
  return make ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey });
}

async function submit(form) {
  const problem = form.querySelector("[data-passkey-problem]");
  problem.hidden = true;
  try {
    const found = await answer(form);
    if (!found) return;
    form.elements.answer.value = JSON.stringify(found.toJSON());
    form.submit();
  } catch {
    problem.hidden = false; // refused by the person, ended, or not possible on this device
  }
}

export function startPasskeys() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest?.("form[data-passkey]");
    if (!form) return;
    event.preventDefault();
    const name = form.elements.namedItem("name");
    if (name && !name.value.trim()) name.focus();
    else submit(form);
  });
  onLoad((root) => {
    if (canAsk()) within(root, "form[data-passkey]").forEach((form) => (form.hidden = false));
  });
}
