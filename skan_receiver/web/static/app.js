// Everything on these pages works without this file; it draws charts and adds local times.
"use strict";

for (const time of document.querySelectorAll("time[datetime]")) {
  time.title = new Date(time.dateTime).toLocaleString() + " here";
}

document.addEventListener("DOMContentLoaded", () => {
  for (const spec of document.querySelectorAll("script[data-chart]")) draw(spec.dataset.chart, JSON.parse(spec.textContent));
});

// A chart takes the place of the table that has its numbers, which stays below, closed.
async function draw(id, chart) {
  const place = document.getElementById(id);
  const table = document.getElementById(`${id}-table`);
  place.hidden = false;
  if (table) table.open = false;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const show = () =>
    // `ast`: expressions are interpreted, since the content security policy forbids eval.
    vegaEmbed(place, coloured(chart), { ast: true, actions: false, defaultStyle: false, renderer: "svg", tooltip: { disableDefaultStyle: true } });
  try {
    await show();
    dark.addEventListener("change", show);
  } catch (error) {
    place.hidden = true;
    if (table) table.open = true;
    throw error;
  }
}

// The specification says what is shown; the style sheet says in which colours.
function coloured(chart) {
  const style = getComputedStyle(document.documentElement);
  const css = (name) => style.getPropertyValue(name).trim();
  const copy = structuredClone(chart);
  const groups = ["one", "two", "three", "four", "five", "six", "seven", "eight"].map((name) => css(`--${name}`));
  const scale = copy.encoding?.color?.scale;
  // Verdicts have colours of their own; other groups take them in turn.
  if (scale?.domain && !scale.range) scale.range = scale.domain.map((name, n) => css(`--${name}`) || groups[n % groups.length]);
  copy.background = "transparent";
  copy.config = {
    font: "system-ui, sans-serif",
    view: { stroke: null },
    axis: {
      labelColor: css("--soft"),
      titleColor: css("--soft"),
      gridColor: css("--line"),
      domainColor: css("--line"),
      tickColor: css("--line"),
      labelFontSize: 12,
    },
    legend: { labelColor: css("--soft"), titleColor: css("--soft"), labelFontSize: 12 },
    bar: { cornerRadiusEnd: 0, color: css("--one") },
    line: { color: css("--one") },
    area: { color: css("--one") },
    rule: { color: css("--one") },
    point: { color: css("--one") },
    text: { color: css("--ink") },
    range: { category: groups, heatmap: [css("--card"), css("--one")], ramp: [css("--code"), css("--one")] },
  };
  return copy;
}
