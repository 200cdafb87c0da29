"use strict";

// tables: a heading sorts its column, again the other way; rows without a value stay last
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const value = (row, column) => {
    if (column === 0) return row.cells[0].textContent;
    const text = row.cells[column].dataset.value;
    return text === "" ? null : Number(text);
  };
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", way === 1 ? "ascending" : "descending");
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [value(a, column), value(b, column)];
      if (x === null || y === null) return (x === null) - (y === null);
      return way * (x < y ? -1 : x > y ? 1 : 0);
    });
    body.append(...rows);
  }));
}

// pictures: a click enlarges, arrows go on to the neighbours in the same strip or case
const closer = document.getElementById("closer");
let shown = null;
const show = (thumb) => {
  if (!thumb) return;
  shown = thumb;
  const [from, to] = [thumb.querySelector("img"), closer.querySelector("img")];
  to.src = from.src;
  to.alt = from.alt;
  to.className = thumb.className.replace("thumb", "").trim();
  closer.querySelector("figcaption").textContent = from.alt;
  if (!closer.open) closer.showModal();
};
for (const thumb of document.querySelectorAll(".thumb")) thumb.addEventListener("click", () => show(thumb));
closer.querySelector("button").addEventListener("click", () => closer.close());
closer.addEventListener("click", (event) => { if (event.target === closer) closer.close(); });
closer.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  const group = [...shown.closest(".case, .strip, .pictures, .part, .figure").querySelectorAll(".thumb")];
  show(group[group.indexOf(shown) + step]);
});

// folds: a link into one opens it, and paper has all of them open
const unfold = (element) => {
  for (let fold = element; fold; fold = fold.parentElement) if (fold.tagName === "DETAILS") fold.open = true;
};
const follow = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  unfold(target);
  target.querySelector(":scope > details.fold")?.setAttribute("open", "");
  target.scrollIntoView();
};
addEventListener("hashchange", follow);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
follow();
