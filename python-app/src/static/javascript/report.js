// Filters and sorts the table of checks. Without this file the page shows every check, worst first.
"use strict";

const table = document.getElementById("table");
const body = table.tBodies[0];
const find = document.getElementById("find");
const status = document.getElementById("status");
const empty = document.getElementById("empty");

function filter() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of body.rows) {
    const text = row.textContent.toLowerCase();
    const fits = (!status.value || row.dataset.status === status.value) && words.every((word) => text.includes(word));
    row.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  empty.hidden = shown > 0;
}

// A value that was not measured has an empty key and stays at the end.
function compare(left, right, up) {
  if (left === "" || right === "") return (left === "") - (right === "");
  const order = isNaN(left) || isNaN(right) ? left.localeCompare(right) : left - right;
  return up ? order : -order;
}

function sort(column, head) {
  const up = head.getAttribute("aria-sort") !== "ascending";
  const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  body.append(...Array.from(body.rows).sort((a, b) => compare(key(a), key(b), up)));
}

Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = head.textContent;
  button.addEventListener("click", () => sort(column, head));
  head.replaceChildren(button);
});
find.addEventListener("input", filter);
status.addEventListener("change", filter);
document.getElementById("tools").hidden = false;
filter();
