// SPDX-License-Identifier: Apache-2.0
// The only script of the shell: starts a module for each `data-module`, and the keys of every page. The server sends all
// modules as one file, in which `modules` holds each by its name.

export function start(modules) {
  for (const element of document.querySelectorAll("[data-module]")) {
    modules[element.dataset.module]?.start(element);
  }
  modules.keys.start(document);
}
