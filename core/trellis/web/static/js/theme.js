// Light, dark or as the system; kept in a cookie so that the server renders the page right at once.
const YEAR = 60 * 60 * 24 * 365;

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
  document.querySelectorAll("[data-theme-set]").forEach((item) => {
    item.setAttribute("aria-checked", String(item.dataset.themeSet === theme));
  });
}

export function startTheme() {
  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-theme-set]");
    if (choice) setTheme(choice.dataset.themeSet);
    if (event.target.closest("[data-theme-toggle]")) setTheme(isDark() ? "light" : "dark");
    if (event.target.closest("[data-print]")) window.print();
  });
}
