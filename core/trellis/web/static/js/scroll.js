// Parts that scroll sideways: they take the focus, so that the arrow keys reach all of them, and rows of links begin with
// the one that is open in sight.
import { onLoad } from "./vendor.js";

function mark() {
  for (const box of document.querySelectorAll(".card-scroll")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

function showCurrent() {
  for (const box of document.querySelectorAll(".tabs, .settings-nav, .segmented")) {
    const current = box.querySelector("[aria-current]");
    if (!current || box.scrollWidth <= box.clientWidth) continue;
    const [outer, inner] = [box.getBoundingClientRect(), current.getBoundingClientRect()];
    const hidden = inner.left < outer.left || inner.right > outer.right;
    if (hidden) box.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
  }
}

// A diagram opens where its process stands.
function showPlace() {
  for (const box of document.querySelectorAll(".process-scroll")) {
    const place = box.querySelector(".process-node.is-active:not(.is-scope), .process-node.is-stuck");
    if (!place) continue;
    const [outer, inner] = [box.getBoundingClientRect(), place.getBoundingClientRect()];
    box.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
  }
}

export function startScrollers() {
  onLoad(mark);
  onLoad(showCurrent);
  onLoad(showPlace);
  addEventListener("resize", mark);
}
