// Native popovers, placed beside the button that opened them; menus move by arrows.
const GAP = 4;
const EDGE = 8;
let opener = null;

function invokers(popover) {
  return [...document.querySelectorAll(`[popovertarget="${popover.id}"]`)];
}

function anchorOf(popover) {
  if (opener?.isConnected && (opener.getAttribute("popovertarget") === popover.id || opener.dataset.anchors === popover.id)) {
    return opener;
  }
  return invokers(popover).find((button) => button.offsetParent) ?? null;
}

function place(popover) {
  const anchor = anchorOf(popover);
  if (!anchor) return;
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const fitsBelow = at.bottom + GAP + height <= innerHeight - EDGE;
  const fitsAbove = at.top - GAP - height >= EDGE;
  const top = fitsBelow || !fitsAbove ? at.bottom + GAP : at.top - GAP - height;
  const left = at.left + width <= innerWidth - EDGE ? at.left : at.right - width;
  popover.style.top = `${Math.max(EDGE, Math.min(top, innerHeight - EDGE - height))}px`;
  popover.style.left = `${Math.max(EDGE, Math.min(left, innerWidth - EDGE - width))}px`;
}

// Opens a popover that no button invokes (a card's menu by key).
export function openAt(popover, anchor) {
  anchor.dataset.anchors = popover.id;
  opener = anchor;
  popover.showPopover();
}

function items(menu) {
  return [...menu.querySelectorAll('[role^="menuitem"]')].filter((item) => item.offsetParent && !item.disabled);
}

function move(menu, key) {
  const all = items(menu);
  if (!all.length) return;
  const now = all.indexOf(document.activeElement);
  const next = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: all.length - 1 }[key];
  all.at(((next % all.length) + all.length) % all.length).focus();
}

export function startPopovers() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[popovertarget]");
    if (button) opener = button;
  }, true);
  document.addEventListener("beforetoggle", (event) => {
    if (event.newState === "open" && event.target.matches?.("[popover]")) {
      const at = anchorOf(event.target)?.getBoundingClientRect();
      if (at) Object.assign(event.target.style, { top: `${at.bottom + GAP}px`, left: `${at.left}px` });
    }
  }, true);
  document.addEventListener("toggle", (event) => {
    const popover = event.target;
    if (!popover.matches?.("[popover]")) return;
    const open = event.newState === "open";
    for (const button of [...invokers(popover), opener].filter(Boolean)) {
      if (button.hasAttribute("aria-expanded")) button.setAttribute("aria-expanded", String(open && button === anchorOf(popover)));
    }
    if (!open) return;
    place(popover);
    if (popover.getAttribute("role") === "menu") {
      (popover.querySelector('[aria-checked="true"]') ?? items(popover)[0])?.focus();
    }
  }, true);
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.('[popover][role="menu"]');
    if (menu && ["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) {
      event.preventDefault();
      move(menu, event.key);
    } else if (event.key === "ArrowDown" && event.target.matches?.('[aria-haspopup="menu"][popovertarget]')) {
      event.preventDefault();
      event.target.click();
    }
  });
  document.addEventListener("click", (event) => {
    const item = event.target.closest('[popover][role="menu"] [role^="menuitem"]');
    if (item && !item.closest("form")) item.closest("[popover]").hidePopover();
  });
  addEventListener("resize", () => document.querySelectorAll("[popover]:popover-open").forEach(place));
}
