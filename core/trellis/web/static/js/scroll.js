// A part that scrolls sideways takes the focus, so that the arrow keys reach all of it.
import { onLoad } from "./vendor.js";

function mark() {
  for (const box of document.querySelectorAll(".card-scroll")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
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
  onLoad(showPlace);
  addEventListener("resize", mark);
}
