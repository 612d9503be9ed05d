// SPDX-License-Identifier: Apache-2.0
// The only script of the shell: starts a module for each `data-module`, and the keys of every page.
import { start as keys } from "./keys.js";

const known = ["toast", "palette", "live", "part", "drop", "check"];

for (const element of document.querySelectorAll("[data-module]")) {
  const name = element.dataset.module;
  if (known.includes(name)) import(`./${name}.js`).then(module => module.start(element));
}
keys(document);
