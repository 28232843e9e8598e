// A question before what cannot be taken back at once.

import { byId, setText } from "./dom.js";

/** @param {string} question @param {string} detail @param {string} yes @returns {Promise<boolean>} */
export function confirmed(question, detail, yes) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("confirm"));
  setText(byId("confirm-question"), question);
  setText(byId("confirm-detail"), detail);
  setText(byId("confirm-yes"), yes);
  byId("confirm-yes").onclick = () => dialog.close("yes");
  byId("confirm-no").onclick = () => dialog.close("no");
  dialog.returnValue = "no"; // what Escape leaves
  dialog.showModal();
  byId("confirm-no").focus();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
  });
}
