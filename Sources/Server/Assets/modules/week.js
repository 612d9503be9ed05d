// SPDX-License-Identifier: Apache-2.0
// Moves an event of the week by pointer, or by `m` and the arrows: quarters of an hour, days, then one form is sent.

const quarter = 15;

export function start(week) {
  const form = document.getElementById("move");
  const days = [...week.querySelectorAll("[data-day]")];
  if (!form) return;

  function send(event, day, minute) {
    const to = `${day}T${clock(minute)}`;
    if (to === event.dataset.start) return false;
    form.action = event.dataset.move;
    form.elements.etag.value = event.dataset.etag;
    form.elements.start.value = to;
    form.requestSubmit();
    return true;
  }

  /** Shows where the event would be. */
  function show(event, day, minute) {
    const slots = days.find(one => one.dataset.day === day)?.querySelector(".slots");
    if (slots && event.parentElement !== slots) slots.append(event);
    for (const name of [...event.classList]) if (/^([hqk]\d+|last)$/.test(name)) event.classList.remove(name);
    event.classList.add(`h${Math.floor(minute / 60)}`, "moving");
    if (minute % 60) event.classList.add(`q${(minute % 60) / quarter}`);
    const time = event.querySelector("time");
    if (time) time.textContent = clock(minute);
    const end = event.querySelector(".t-end");
    if (end) end.textContent = ` – ${clock(minute + Number(event.dataset.length))}`;
  }

  for (const event of week.querySelectorAll("[data-move]")) {
    dragging(event, week, days, show, send);
    stepping(event, week, days, show, send);
  }
}

function dragging(event, week, days, show, send) {
  let grip = null;
  event.draggable = false;
  event.addEventListener("pointerdown", press => {
    // A list of days, as on a phone, has no places to drop on.
    if (press.button || getComputedStyle(week).display !== "grid") return;
    grip = { x: press.clientX, y: press.clientY, top: press.clientY - event.getBoundingClientRect().top, at: null };
    event.setPointerCapture(press.pointerId);
  });
  event.addEventListener("pointermove", move => {
    if (!grip) return;
    if (!grip.at && Math.hypot(move.clientX - grip.x, move.clientY - grip.y) < 6) return;
    const day = days.find(one => {
      const box = one.getBoundingClientRect();
      return move.clientX >= box.left && move.clientX < box.right;
    });
    if (!day) return;
    const slots = day.querySelector(".slots").getBoundingClientRect();
    const height = parseFloat(getComputedStyle(day.querySelector(".slots")).gridTemplateRows) || 14;
    const first = Number(week.dataset.first) * 60;
    const steps = Math.round((move.clientY - grip.top - slots.top) / height);
    grip.at = { day: day.dataset.day, minute: inDay(first + steps * quarter, first) };
    show(event, grip.at.day, grip.at.minute);
  });
  event.addEventListener("pointerup", () => {
    const at = grip?.at;
    grip = null;
    if (!at) return;
    event.addEventListener("click", click => click.preventDefault(), { once: true });
    if (!send(event, at.day, at.minute)) event.classList.remove("moving");
  });
  event.addEventListener("pointercancel", () => { if (grip?.at) location.reload(); grip = null; });
  event.addEventListener("dragstart", drag => drag.preventDefault());
}

function stepping(event, week, days, show, send) {
  let at = null;
  event.addEventListener("keydown", press => {
    if (press.ctrlKey || press.metaKey || press.altKey || document.body.dataset.keys === "off") return;
    const [day, time] = event.dataset.start.split("T");
    if (!at) {
      if (press.key !== "m") return;
      at = { day, minute: minutes(time) };
      show(event, at.day, at.minute);
    } else {
      const index = days.findIndex(one => one.dataset.day === at.day);
      const first = Number(week.dataset.first) * 60;
      switch (press.key) {
        case "ArrowUp": at.minute = inDay(at.minute - quarter, first); break;
        case "ArrowDown": at.minute = inDay(at.minute + quarter, first); break;
        case "ArrowLeft": at.day = days[Math.max(0, index - 1)].dataset.day; break;
        case "ArrowRight": at.day = days[Math.min(days.length - 1, index + 1)].dataset.day; break;
        case "Enter":
          if (!send(event, at.day, at.minute)) event.classList.remove("moving");
          at = null;
          break;
        case "Escape":
          at = { day, minute: minutes(time) };
          show(event, at.day, at.minute);
          event.classList.remove("moving");
          at = null;
          break;
        default: return;
      }
      if (at) show(event, at.day, at.minute);
    }
    event.focus();
    press.preventDefault();
    press.stopPropagation();
  });
}

function inDay(minute, first) { return Math.max(first, Math.min(24 * 60 - quarter, minute - minute % quarter)); }

function minutes(time) { return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5)); }

function clock(minute) {
  const two = number => String(number).padStart(2, "0");
  return `${two(Math.floor(minute / 60) % 24)}:${two(minute % 60)}`;
}
