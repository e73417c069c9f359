/* Draws a chart above each table that asks for one, from the numbers in the table itself.
   Without this script, the tables stand alone and say the same. */
"use strict";
(() => {
  const COLOURS = {
    good: "--fv-scale-above",
    bad: "--fv-scale-below",
    wait: "--fv-scale-between",
    ask: "--fv-ask-fg",
    busy: "--link-fg",
    quiet: "--body-quiet-color",
  };
  const language = document.documentElement.lang || "en";
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  const plain = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const SPANS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  function span(seconds) {
    const [unit, length] = SPANS.find(([, one]) => seconds >= 2 * one) || SPANS[3];
    const form = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 };
    return new Intl.NumberFormat(language, form).format(seconds / length);
  }
  function format(unit, value) {
    if (unit === "seconds") return span(value);
    return (unit === "percent" ? percent : plain).format(value);
  }
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = (name) => style(COLOURS[name] || COLOURS.busy);

  /* Lines across the chart, each at a place between the rows; their words are in the list above it. */
  const marks = {
    id: "marks",
    afterDatasetsDraw(chart, _, { lines }) {
      const { ctx, chartArea, scales } = chart;
      if (!lines.length || !scales.x.getLabels().length) return;
      const first = scales.x.getPixelForValue(0);
      const step = scales.x.getPixelForValue(1) - first;
      ctx.save();
      ctx.lineWidth = 2;
      ctx.setLineDash([6, 4]);
      for (const { place, colour: name } of lines) {
        const x = first + place * step;
        if (x < chartArea.left - 1 || x > chartArea.right + 1) continue;
        ctx.strokeStyle = colour(name);
        ctx.beginPath();
        ctx.moveTo(x, chartArea.top);
        ctx.lineTo(x, chartArea.bottom);
        ctx.stroke();
      }
      ctx.restore();
    },
  };

  /* What a row is called: its first words, two columns of them where there are more. */
  const name = (headers, row) => [...row.cells].slice(0, 2).filter((_, index) => !index || headers[index].dataset.unit === "text").map((cell) => cell.textContent).join(" · ");
  const number = (cell) => (cell.dataset.value === "" ? null : Number(cell.dataset.value));

  function draw(figure) {
    const table = figure.querySelector("table");
    if (!table) return null;
    const headers = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    if (headers[0].dataset.unit === "day") rows.reverse(); // the newest stands first in the table
    const columns = headers.map((header, index) => ({ header, index })).filter(({ header }) => header.dataset.series);
    const unit = columns[0].header.dataset.unit;
    const isAcross = figure.dataset.chart === "across";
    const isStacked = figure.dataset.chart === "stack";
    const canvas = figure.querySelector("canvas") || addCanvas(figure, isAcross ? rows.length : 0);
    const text = style("--body-fg");
    const grid = style("--hairline-color");
    const categories = { stacked: isStacked, ticks: { color: text, autoSkip: !isAcross, maxRotation: 0 }, grid: { display: false } };
    const values = { stacked: isStacked, beginAtZero: true, ticks: { color: text, callback: (value) => format(unit, value) }, grid: { color: grid } };
    return new Chart(canvas, {
      data: {
        labels: rows.map((row) => name(headers, row)),
        datasets: columns.map(({ header, index }) => ({
          type: header.dataset.series,
          label: header.textContent,
          data: rows.map((row) => number(row.cells[index])),
          backgroundColor: colour(header.dataset.colour),
          borderColor: colour(header.dataset.colour),
          borderWidth: header.dataset.series === "line" ? 2 : 0,
          pointRadius: rows.length > 31 ? 0 : 2,
          stack: header.dataset.series === "line" ? header.textContent : "all",
          spanGaps: true,
        })),
      },
      options: {
        animation: false,
        maintainAspectRatio: false,
        indexAxis: isAcross ? "y" : "x",
        interaction: { mode: "index", intersect: false, axis: isAcross ? "y" : "x" },
        scales: isAcross ? { x: values, y: categories } : { x: categories, y: values },
        plugins: {
          legend: { display: columns.length > 1, labels: { color: text } },
          tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${format(unit, isAcross ? item.parsed.x : item.parsed.y)}` } },
          marks: {
            lines: [...figure.querySelectorAll("[data-place]")].map((item) => ({ place: Number(item.dataset.place), colour: item.dataset.colour })),
          },
        },
      },
      plugins: [marks],
    });
  }

  function addCanvas(figure, rowCount) {
    const frame = document.createElement("div");
    frame.className = "fv-canvas";
    if (rowCount) frame.style.height = `${Math.min(640, 60 + 24 * rowCount)}px`;
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-labelledby", `${figure.id}-title`);
    frame.append(canvas);
    figure.querySelector(".fv-rows").before(frame);
    return canvas;
  }

  let charts = [];
  function drawAll() {
    for (const chart of charts) chart.destroy();
    charts = [...document.querySelectorAll("figure[data-chart]")].map(draw).filter(Boolean);
  }

  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
})();
