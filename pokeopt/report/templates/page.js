"use strict";
// Everything can be read without this script; it sorts and filters tables, opens what is folded for print, and marks
// the contents.
const NUMBER = /^[+-]?\d+(\.\d+)?(?=$| ?%$| [\u00b1[])/; // 0.51, -3 %, 0.51 ± 0.02, +0.1 [0.0, 0.2]; no duration
const FEWEST_TO_FILTER = 10;
const filters = [];
const valueOf = (cell) => {
  if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
  const text = cell.textContent.trim().replaceAll("\u2212", "-").replaceAll("\u202f", "");
  const number = NUMBER.exec(text);
  return number ? Number(number[0]) : text;
};
const compare = (a, b, way) => {
  if (typeof a === typeof b) return way * (typeof a === "number" ? a - b : a.localeCompare(b));
  return typeof a === "number" ? -1 : 1; // cells without a number come last, whichever way
};
const addSorting = (table) => {
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
      const keyed = Array.from(table.tBodies[0].rows, (row) => [valueOf(row.cells[column]), row]);
      keyed.sort((a, b) => compare(a[0], b[0], way));
      table.tBodies[0].append(...keyed.map((pair) => pair[1]));
    });
  });
};
const addFilter = (table) => {
  const rows = Array.from(table.tBodies[0].rows);
  const texts = new Map(rows.map((row) => [row, Array.from(row.cells, (cell) => cell.textContent).join(" ").toLowerCase()]));
  const label = document.createElement("label");
  const input = document.createElement("input");
  const count = document.createElement("output");
  input.type = "search";
  input.setAttribute("aria-controls", table.id);
  label.className = "filter";
  label.append("Rows with ", input, count);
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) row.hidden = !words.every((word) => texts.get(row).includes(word));
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = words.length ? ` ${shown} of ${rows.length}` : "";
  };
  input.addEventListener("input", filter);
  filters.push([rows, filter]);
  table.closest(".scroll").before(label);
};
for (const table of document.querySelectorAll("table.sortable")) {
  addSorting(table);
  if (table.tBodies[0].rows.length >= FEWEST_TO_FILTER) addFilter(table);
}
for (const box of document.querySelectorAll(".scroll, .drawings")) {
  const mark = () => box.classList.toggle("more-right", box.scrollLeft + box.clientWidth < box.scrollWidth - 4);
  box.addEventListener("scroll", mark, { passive: true });
  new ResizeObserver(mark).observe(box);
}
const folded = [];
window.addEventListener("beforeprint", () => {
  for (const [rows] of filters) for (const row of rows) row.hidden = false; // paper shows all rows
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = true;
    folded.push(details);
  }
});
window.addEventListener("afterprint", () => {
  for (const [, filter] of filters) filter();
  for (const details of folded.splice(0)) details.open = false;
});
const links = new Map(Array.from(document.querySelectorAll(".contents a"), (link) => [link.hash.slice(1), link]));
const inside = new Set();
const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) inside[entry.isIntersecting ? "add" : "delete"](entry.target.id);
    const here = Array.from(links.keys()).filter((id) => inside.has(id)).at(-1); // a part rather than its section
    if (here) for (const [id, link] of links) link.classList.toggle("here", id === here);
  },
  { rootMargin: "-10% 0px -80% 0px" },
);
for (const id of links.keys()) if (document.getElementById(id)) seen.observe(document.getElementById(id));
