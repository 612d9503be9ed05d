// SPDX-License-Identifier: Apache-2.0
// Single keys: `event.key`, never `event.code`, so that AZERTY and QWERTY agree. Never while typing, never with a
// modifier, and off when the user asked so (WCAG 2.1.4).

const places = { v: "/overview", q: "/quarantine", c: "/accounts", a: "/agenda" };

export function start(page) {
  const dialog = page.getElementById("keys");
  for (const button of page.querySelectorAll("[data-do=keys]")) {
    button.hidden = false;
    button.addEventListener("click", () => dialog?.showModal());
  }
  const opensPalette = () => page.dispatchEvent(new CustomEvent("relais:find"));
  for (const link of page.querySelectorAll("[data-do=find]"))
    link.addEventListener("click", event => { event.preventDefault(); opensPalette(); });

  let goes = 0;
  page.addEventListener("keydown", event => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      opensPalette();
      return;
    }
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.ctrlKey || event.metaKey || event.altKey || typing || page.querySelector("dialog[open]")) return;
    if (page.body.dataset.keys === "off") return;
    if (Date.now() - goes < 1500 && places[event.key]) { location.href = places[event.key]; return; }
    goes = event.key === "g" ? Date.now() : 0;
    switch (event.key) {
      case "?": dialog?.showModal(); break;
      case "/": opensPalette(); break;
      case "j": step(page, 1); break;
      case "k": step(page, -1); break;
      default: press(page, event.key); return;
    }
    event.preventDefault();
  });
}

/** The next or previous row. */
function step(page, by) {
  const rows = [...page.querySelectorAll("[data-row]")].filter(row => row.offsetParent);
  if (!rows.length) return;
  const here = rows.indexOf(page.activeElement?.closest?.("[data-row]"));
  rows[here < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, here + by))].focus();
}

/** The control that bears the key: of the row or group in focus, else the first that can be seen. */
function press(page, key) {
  const name = { ArrowLeft: "←", ArrowRight: "→" }[key] ?? key;
  if (!/^[a-z←→]$/.test(name)) return;
  const bearer = `[data-key="${name}"]`;
  const near = page.activeElement?.closest("details, [data-row]")?.querySelector(bearer);
  const control = near ?? [...page.querySelectorAll(bearer)].find(control => control.checkVisibility());
  if (!control) return;
  control.click();
  const target = control.hash ? page.querySelector(control.hash) : null;
  target?.querySelector("input:not([type=hidden])")?.focus();
}
