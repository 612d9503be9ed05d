// SPDX-License-Identifier: Apache-2.0
// Replaces a part of the page as the server sends it; the whole page is read again when it is over.

export function start(element) {
  let source;
  let timer;

  // Beside the part, not in it: what is replaced twice a second would be read out twice a second.
  const status = document.getElementById("said");

  function show(html) {
    element.innerHTML = html;
    const said = element.querySelector("[data-say]")?.dataset.say;
    if (status && said && status.textContent !== said) status.textContent = said;
  }

  function open() {
    source = new EventSource(element.dataset.stream);
    source.addEventListener("part", event => show(event.data));
    source.addEventListener("over", () => { source.close(); location.reload(); });
    source.addEventListener("error", () => {
      source.close();
      const note = element.querySelector("header .note");
      if (note) note.textContent = element.dataset.lost;
      timer = setTimeout(open, 5000);
    });
  }
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    source?.close();
    if (!document.hidden) open();
  });
  open();
}
