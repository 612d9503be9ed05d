// SPDX-License-Identifier: Apache-2.0
// Checks a text while it is written: a part of the page, asked 300 ms after the last key; the older answer is dropped.

export function start(form) {
  const text = form.querySelector("textarea");
  const place = document.getElementById(form.dataset.into);
  let asked = 0;
  let timer;

  function later() {
    clearTimeout(timer);
    timer = setTimeout(ask, 300);
  }

  async function ask() {
    const number = ++asked;
    const answer = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (number !== asked || !answer.ok || answer.redirected) return;
    place.innerHTML = await answer.text();
  }

  text.addEventListener("input", later);
  form.querySelector("select")?.addEventListener("change", later);
  document.addEventListener("click", event => {
    const line = event.target.closest?.("[data-line]")?.dataset.line;
    if (!line) return;
    event.preventDefault();
    const [row, column] = line.split(":").map(Number);
    const before = text.value.split("\n").slice(0, row - 1);
    const start = before.reduce((sum, one) => sum + one.length + 1, 0) + (column || 1) - 1;
    text.focus();
    text.setSelectionRange(start, start);
    text.scrollTop = text.scrollHeight * (row - 1) / text.value.split("\n").length;
  });
}
