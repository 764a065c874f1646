// A part that scrolls sideways takes the focus, so that the arrow keys reach all of it.
import { onLoad } from "./vendor.js";

function mark() {
  for (const box of document.querySelectorAll(".card-scroll")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

export function startScrollers() {
  onLoad(mark);
  addEventListener("resize", mark);
}
