// SPDX-License-Identifier: Apache-2.0
// The command palette: a combobox with a list, asked 80 ms after the last key; the older answer is dropped.

export function start(palette) {
  const input = palette.querySelector("input");
  const list = palette.querySelector("ul");
  let hits = [];
  let chosen = 0;
  let asked = 0;
  let timer;

  document.addEventListener("relais:find", () => {
    if (!palette.open) palette.showModal();
    input.select();
  });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 80);
  });
  input.addEventListener("keydown", event => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
      event.preventDefault();
    } else if (event.key === "Enter" && hits[chosen]) {
      location.href = hits[chosen].url;
      event.preventDefault();
    }
  });

  async function ask() {
    const text = input.value.trim();
    const number = ++asked;
    if (!text) return show([]);
    const answer = await fetch(`/search.json?q=${encodeURIComponent(text)}`, { headers: { accept: "application/json" } });
    if (number !== asked || !answer.ok) return;
    show((await answer.json()).hits);
  }

  function show(found) {
    hits = found;
    list.replaceChildren(...found.map((hit, index) => row(hit, index)));
    if (!found.length && input.value.trim()) {
      const none = document.createElement("li");
      none.className = "note";
      none.textContent = palette.dataset.none;
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      list.append(none);
    }
    choose(0);
  }

  function row(hit, index) {
    const item = document.createElement("li");
    item.id = `found-${index}`;
    item.setAttribute("role", "option");
    const text = document.createElement("span");
    text.className = "cut";
    text.textContent = hit.text;
    item.append(text);
    const note = document.createElement("span");
    note.className = "note";
    note.textContent = hit.note;
    item.append(note);
    item.addEventListener("click", () => { location.href = hit.url; });
    return item;
  }

  function choose(index) {
    if (!hits.length) return input.removeAttribute("aria-activedescendant");
    chosen = (index + hits.length) % hits.length;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
    input.setAttribute("aria-activedescendant", `found-${chosen}`);
  }
}
