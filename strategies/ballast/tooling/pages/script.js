"use strict";
// Tabs: the address says which one is shown.
const tabs = [...document.querySelectorAll(".tab")];
const links = [...document.querySelectorAll("nav a")];
const heading = document.title;
function show(scroll) {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const target = document.getElementById(wanted);
  const tab = tabs.find((one) => one.contains(target)) || tabs[0];
  for (const one of tabs) one.classList.toggle("hidden", one !== tab);
  if (tabs.length > 1 && !document.body.dataset.live) {
    document.title = `${tab.dataset.title} | ${heading}`;
    document.querySelector("h1").textContent = tab.dataset.title;
  }
  for (const link of links) {
    if (link.hash.slice(1) === encodeURIComponent(tab.id) || link.hash.slice(1) === tab.id) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "center" });
    } else link.removeAttribute("aria-current");
  }
  // A section of a tab; else the tab from its top.
  if (target && target !== tab) target.scrollIntoView();
  else if (scroll) window.scrollTo(0, 0);
}
// Colours: names of CSS variables become what they stand for now.
function coloured(value, style) {
  if (typeof value === "string") {
    return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
  }
  if (Array.isArray(value)) {
    return value.some((one) => typeof one === "object" || String(one).startsWith("--"))
      ? value.map((one) => coloured(one, style)) : value;
  }
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v, style)]));
  }
  return value;
}
function layout(chart, style, narrow) {
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = {
    gridcolor: colour("--line"), zerolinecolor: colour("--muted"), zerolinewidth: 1,
    linecolor: colour("--line"), tickfont: { color: colour("--muted") },
    title: { font: { color: colour("--muted"), size: 12 }, standoff: 8 },
    automargin: true, fixedrange: true, hoverformat: ",.4g",
  };
  const own = coloured(chart.layout, style);
  const merged = {
    font: { family: getComputedStyle(document.body).fontFamily, size: narrow ? 11 : 12.5,
      color: colour("--ink") },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: narrow ? 36 : 48, r: narrow ? 8 : 16, t: 8, b: 36 },
    hovermode: "closest", dragmode: false, showlegend: chart.data.length > 1,
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: narrow ? 11 : 12 } },
    hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--line"),
      font: { color: colour("--ink") } },
    bargap: 0.35, height: chart.height,
    ...own,
  };
  const names = new Set(["xaxis", "yaxis", ...Object.keys(own).filter((k) => /^[xy]axis/.test(k))]);
  for (const name of names) {
    const given = own[name] || {};
    merged[name] = { ...axis, ...given };
    if (given.title) merged[name].title = { ...axis.title, text: given.title };
    if (name.startsWith("x") && given.type === "date") {
      merged[name].hoverformat = "%-d %b %Y";
      // Level, and so few that they have the room for it.
      if (narrow) Object.assign(merged[name], { tickangle: 0, nticks: 4 });
    }
    if (given.ticksuffix) merged[name].hoverformat = ",.2f";
  }
  return merged;
}
function draw(element) {
  const chart = JSON.parse(element.nextElementSibling.textContent);
  const style = getComputedStyle(document.documentElement);
  const narrow = element.clientWidth < 560;
  element.dataset.drawn = "yes";
  return Plotly.react(element, coloured(chart.data, style), layout(chart, style, narrow),
    { displayModeBar: false, responsive: true });
}
const all = [...document.querySelectorAll(".chart")];
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); }
  }
}, { rootMargin: "600px 0px" });
function redraw() { for (const one of all) if (one.dataset.drawn) draw(one); }
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
window.addEventListener("hashchange", () => show(true));
window.addEventListener("beforeprint", () => {
  // What is folded away is not printed.
  for (const one of all) if (!one.closest("details:not([open])")) draw(one);
});
show(false);
for (const one of all) seen.observe(one);
