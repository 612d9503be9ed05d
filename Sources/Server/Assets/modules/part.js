// SPDX-License-Identifier: Apache-2.0
// Fills a place with a part of the page that takes longer than the rest.

export async function start(element) {
  const answer = await fetch(element.dataset.src, { headers: { accept: "text/html" } });
  if (answer.ok && !answer.redirected) element.innerHTML = await answer.text();
}
