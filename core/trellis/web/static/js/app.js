// Wires the behaviours of the page. Everything works on delegated events or on htmx's load event, so that parts swapped
// in by htmx behave like parts of the first page.
import { startBoard } from "./board.js";
import { startCalendar } from "./calendar.js";
import { startColumns } from "./columns.js";
import { startConditions } from "./conditions.js";
import { startDialogs } from "./dialog.js";
import { startForms } from "./forms.js";
import { startInline } from "./inline.js";
import { startKeys } from "./keys.js";
import { startList } from "./list.js";
import { startNav } from "./nav.js";
import { startPalette } from "./palette.js";
import { startPasskeys } from "./passkeys.js";
import { startPopovers } from "./popover.js";
import { startRules } from "./rules.js";
import { startScrollers } from "./scroll.js";
import { startSelects } from "./select.js";
import { startTheme } from "./theme.js";
import { startToasts } from "./toast.js";

startTheme();
startNav();
startPopovers();
startDialogs();
startToasts();
startForms();
startConditions();
startInline();
startKeys();
startPalette();
startPasskeys();
startList();
startRules();
startSelects();
startColumns();
startBoard();
startCalendar();
startScrollers();
