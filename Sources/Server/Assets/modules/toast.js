// SPDX-License-Identifier: Apache-2.0
// A message goes after ten seconds, and stays while it is hovered or focused.

export function start(toast) {
  let left = 10;
  const timer = setInterval(() => {
    if (toast.matches(":hover, :focus-within")) return;
    left -= 1;
    if (left > 0) return;
    clearInterval(timer);
    toast.remove();
  }, 1000);
}
