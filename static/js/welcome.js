/** The one-time code is behind the # of the link, which no server is sent: put it into the form. */

import { element } from "./page.js";

const code = location.hash.slice(1);
if (code) {
  /** @type {HTMLInputElement} */ (element("token")).value = code;
  // Neither the history nor somebody who looks over a shoulder shall find it.
  history.replaceState(null, "", location.pathname);
  element("welcome-new").focus();
}
