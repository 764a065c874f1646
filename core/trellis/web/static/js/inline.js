// Fields edited in place, on a record or in a row of a list: Enter saves, Esc gives the value back, the focus returns after both.
function cancel(form) {
  window.htmx.ajax("GET", form.dataset.cancel, { target: form.closest(".prop, tr"), swap: "outerHTML", select: "unset" });
}

// A choice is made with the first Enter and saved with the next; what was chosen from a search is saved at once.
function saves(event) {
  return event.key === "Enter" && event.target.matches("form[data-inline-edit] select:not([data-select])");
}

export function startInline() {
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("form[data-inline-edit]");
    if (form && event.key === "Escape") {
      event.stopPropagation();
      cancel(form);
    }
    if (saves(event)) {
      event.preventDefault();
      event.target.form.requestSubmit();
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches(".cell-edit select[data-select]") && event.target.value) event.target.form.requestSubmit();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-cancel-edit]")) cancel(event.target.closest("form"));
    const compose = event.target.closest("[data-compose]");
    if (compose) openComposer(compose.dataset.compose);
  });
  let last = null;
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    last = event.detail.target?.matches?.(".prop") ? event.detail.target.id : null;
  });
  document.body.addEventListener("htmx:afterSettle", () => {
    const prop = last && document.getElementById(last);
    if (prop && !prop.contains(document.activeElement)) prop.querySelector("input:not([type=hidden]), select, textarea, [data-edit], .prop-pen")?.focus();
    last = null;
  });
  document.body.addEventListener("record-version", (event) => {
    const record = document.querySelector("[data-record]");
    if (record) record.dataset.version = event.detail.value;
  });
}

function openComposer(kind) {
  const composer = document.getElementById("composer");
  if (!composer) return;
  const choice = composer.querySelector(`input[name="kind"][value="${kind}"]`);
  if (choice) choice.checked = true;
  composer.scrollIntoView({ block: "center" });
  composer.querySelector("textarea").focus();
}
