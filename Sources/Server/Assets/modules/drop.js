// SPDX-License-Identifier: Apache-2.0
// A file dropped on the field is the field's file; an empty one is refused at once.

export function start(element) {
  const input = element.querySelector("input[type=file]");
  element.addEventListener("dragover", event => event.preventDefault());
  element.addEventListener("drop", event => {
    event.preventDefault();
    const [first] = event.dataTransfer.files;
    if (!first) return;
    const one = new DataTransfer();
    one.items.add(first);
    input.files = one.files;
  });
}
