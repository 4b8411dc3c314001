"use strict";
// The panel asks itself for the page again, and puts in what has changed; scripts stay.
const EVERY_MS = 20000;
async function refresh() {
  if (document.hidden) return;
  let text;
  try {
    const answer = await fetch(location.pathname, { cache: "no-store", credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    text = await answer.text();
  } catch {
    document.body.classList.add("lost");
    return;
  }
  document.body.classList.remove("lost");
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const subtitle = "header p";
  document.querySelector(subtitle).textContent = fresh.querySelector(subtitle).textContent;
  for (const tab of document.querySelectorAll(".tab")) {
    const other = fresh.getElementById(tab.id);
    if (!other || other.innerHTML === tab.dataset.shown) continue;
    tab.dataset.shown = other.innerHTML;
    tab.innerHTML = other.innerHTML;
    for (const chart of tab.querySelectorAll(".chart")) draw(chart);
  }
}
for (const tab of document.querySelectorAll(".tab")) tab.dataset.shown = tab.innerHTML;
setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
