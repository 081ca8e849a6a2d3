// A table with `data-grid` can be sorted and filtered in the browser: Tabulator, fetched when asked for.
"use strict";

for (const table of document.querySelectorAll("table[data-grid]")) offer(table);

function offer(table) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Sort and filter";
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await load(table.dataset.grid.split(" "));
      show(table);
      button.remove();
    } catch (error) {
      button.disabled = false;
      throw error;
    }
  });
  (table.closest(".scroll") || table).before(button);
}

// A table after another, and the files once.
const loaded = new Map();
function load(urls) {
  return Promise.all(urls.map((url) => loaded.get(url) || loaded.set(url, fetched(url)).get(url)));
}

function fetched(url) {
  const isStyle = url.endsWith(".css");
  const element = document.createElement(isStyle ? "link" : "script");
  if (isStyle) Object.assign(element, { rel: "stylesheet", href: url });
  else element.src = url;
  return new Promise((resolve, reject) => {
    element.addEventListener("load", resolve);
    element.addEventListener("error", () => reject(new Error(`${url} did not come`)));
    document.head.append(element);
  });
}

// Cells stay as the server wrote them, with their links and their times; numbers sort as numbers.
function show(table) {
  const heads = [...table.tHead.rows[0].cells];
  const columns = heads.map((head, place) => ({
    title: head.textContent,
    field: `c${place}`,
    formatter: "html",
    hozAlign: head.classList.contains("n") ? "right" : "left",
    headerFilter: "input",
    headerFilterFunc: (wanted, html) => text(html).toLowerCase().includes(wanted.toLowerCase()),
    sorter: (one, other) => compare(text(one), text(other)),
  }));
  const rows = [...table.tBodies[0].rows].map((row) =>
    Object.fromEntries([...row.cells].map((cell, place) => [`c${place}`, cell.innerHTML])),
  );
  const place = document.createElement("div");
  place.className = "table-grid";
  (table.closest(".scroll") || table).replaceWith(place);
  new Tabulator(place, { data: rows, columns, layout: "fitDataFill", height: Math.min(640, 90 + 40 * rows.length), placeholder: "None of them" });
}

function text(html) {
  const element = document.createElement("template");
  element.innerHTML = html;
  return element.content.textContent.trim();
}

function compare(one, other) {
  const numbers = [one, other].map((found) => Number(found.replaceAll(",", "").replace("%", "")));
  return numbers.some(Number.isNaN) ? one.localeCompare(other) : numbers[0] - numbers[1];
}
