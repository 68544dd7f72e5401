// Draws the board's charts from the tables beside them, each when it is near the screen: a row's
// numbers stand in its data-point.
// Tooltips are rich text, not HTML, because the page allows no inline style.
"use strict";

(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const font = getComputedStyle(document.body).fontFamily;
  const LANG = document.documentElement.lang || undefined;
  const WHEN = charts.when({ month: "short", day: "numeric" });
  const SHORT = new Intl.NumberFormat(LANG, { notation: "compact", maximumFractionDigits: 1 });
  const HUNDREDTHS = new Intl.NumberFormat(LANG, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const TENTHS = new Intl.NumberFormat(LANG, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const LABELS = ["negative", "neutral", "positive", "unknown"];
  const WORDS = JSON.parse(document.getElementById("words").textContent);
  const word = (name) => WORDS[name] || name;
  const between = (low, high) => WORDS.between.replace("{low}", low).replace("{high}", high);
  const signed = (value) => (value < 0 ? "\u2212" : "+") + HUNDREDTHS.format(Math.abs(value));
  const drawn = new Map(), waiting = new Set();

  const quiet = () => ({ color: color("--quiet"), fontFamily: font, fontSize: 12 });
  const line = () => ({ lineStyle: { color: color("--line") } });
  const value = (more) => ({ type: "value", axisLabel: { ...quiet(), formatter: (number) => SHORT.format(number) }, splitLine: line(), ...more });

  function common() {
    // Bars that grow would draw every chart ten times, on a phone each time for longer than a tap waits.
    return { animation: false, useUTC: true, textStyle: { fontFamily: font, color: color("--quiet") } };
  }

  function tooltip(formatter, trigger) {
    return {
      trigger, renderMode: "richText", formatter, confine: true,
      backgroundColor: color("--surface"), borderColor: color("--line"),
      textStyle: { color: color("--text"), fontSize: 12, lineHeight: 18 },
      axisPointer: { type: trigger === "axis" ? "line" : "none", lineStyle: { color: color("--quiet"), type: "dotted" } },
    };
  }

  const legend = () => ({ type: "scroll", pageIconSize: 10, pageTextStyle: quiet(), pageIconColor: color("--quiet"), pageIconInactiveColor: color("--line"), top: 0, left: 0, itemWidth: 10, itemHeight: 10, textStyle: quiet(), inactiveColor: color("--line") });

  // Time runs along the page in every chart that has one: the same place is the same moment.
  function overTime(chart) {
    const { points, grain } = chart;
    const first = charts.clock(points[0].at);
    const last = charts.clock(points[points.length - 1].at) + grain * 1000;
    return {
      grid: { left: 44, right: 12, top: 32, bottom: 28 },
      xAxis: { type: "time", min: first, max: last, axisLine: line(), axisTick: { show: false }, axisLabel: { ...quiet(), hideOverlap: true }, splitLine: { show: false } },
    };
  }

  const middle = (chart, point) => charts.clock(point.at) + chart.grain * 500;
  const pointAt = (chart, moment) => chart.points.find((point) => middle(chart, point) === moment);

  const kinds = {
    volume(chart) {
      return {
        ...common(), ...overTime(chart), legend: legend(), yAxis: value({ minInterval: 1 }),
        tooltip: tooltip((items) => {
          const point = pointAt(chart, items[0].value[0]);
          return [WHEN.format(new Date(point.at)), ...LABELS.map((label) => `${word(label)}  ${charts.count(point[label])}`), `${word("before")}  ${charts.count(point.before)}`].join("\n");
        }, "axis"),
        series: [
          ...LABELS.map((label) => ({
            id: label, name: word(label), type: "bar", stack: "all", barCategoryGap: "15%", cursor: "pointer", itemStyle: { color: color(`--${label}`) },
            data: chart.points.map((point) => [middle(chart, point), point[label]]),
          })),
          {
            name: word("before"), type: "line", step: "middle", symbol: "none", silent: true, z: 3,
            lineStyle: { color: color("--text"), width: 1, type: "dashed", opacity: 0.6 }, itemStyle: { color: color("--text") },
            data: chart.points.map((point) => [middle(chart, point), point.before]),
          },
        ],
      };
    },

    net(chart) {
      const judged = chart.points.filter((point) => point.net !== null);
      return {
        ...common(), ...overTime(chart),
        yAxis: value({ min: -1, max: 1, interval: 0.5, axisLabel: { ...quiet(), formatter: (number) => (number ? signed(number).replace(/0$/, "") : "0") } }),
        tooltip: tooltip((items) => {
          const point = pointAt(chart, items[0].value[0]);
          const when = WHEN.format(new Date(point.at));
          return point.net === null ? when : `${when}\n${word("net")} ${signed(point.net)}\n${between(signed(point.low), signed(point.high))}`;
        }, "axis"),
        series: [
          {
            name: "interval", type: "custom", silent: true, z: 1, encode: { x: 0, y: [1, 2] },
            data: judged.map((point) => [middle(chart, point), point.low, point.high]),
            renderItem: (params, api) => {
              const low = api.coord([api.value(0), api.value(1)]);
              const high = api.coord([api.value(0), api.value(2)]);
              const width = Math.max(3, api.size([chart.grain * 1000, 0])[0] * 0.6);
              return { type: "rect", shape: { x: low[0] - width / 2, y: high[1], width, height: low[1] - high[1], r: 2 }, style: { fill: color("--accent"), opacity: 0.22 } };
            },
          },
          {
            name: "net", type: "line", symbolSize: 6, z: 2, connectNulls: false, cursor: "pointer",
            lineStyle: { width: 1.5, color: color("--accent") }, itemStyle: { color: color("--accent") },
            data: chart.points.map((point) => [middle(chart, point), point.net]),
          },
        ],
      };
    },

    // One series for each row: its points stand in the row, the times in each.
    emotions(chart) {
      const [first] = chart.points;
      const half = first.grain * 500;
      const start = charts.clock(first.at[0]);
      const COLORS = { anger: "negative", sadness: "blue", joy: "positive", optimism: "accent" };
      return {
        ...common(),
        grid: { left: 40, right: 12, top: 32, bottom: 28 }, legend: legend(), yAxis: value({ minInterval: 1 }),
        xAxis: { type: "time", min: start, max: charts.clock(first.at[first.at.length - 1]) + first.grain * 1000, axisLine: line(), axisTick: { show: false }, axisLabel: { ...quiet(), hideOverlap: true }, splitLine: { show: false } },
        tooltip: tooltip((items) => [WHEN.format(new Date(first.at[items[0].dataIndex])), ...items.map((item) => `${item.seriesName}  ${charts.count(item.value[1])}`)].join("\n"), "axis"),
        series: chart.points.map((row) => ({
          id: row.name, name: word(row.name), type: "bar", stack: "all", barCategoryGap: "15%", cursor: "pointer",
          itemStyle: { color: color(`--${COLORS[row.name] || "neutral"}`) },
          data: row.series.map((count, at) => [charts.clock(row.at[at]) + half, count]),
        })),
      };
    },

    // One bar for each row, the first on top; whiskers where a row has an interval, a tick at
    // what it was in the period before.
    bars(chart) {
      const points = chart.points.slice(0, 8);
      const unit = chart.unit;
      const show = (number) => (unit === "%" ? `${TENTHS.format(number)} %` : SHORT.format(number));
      const whisker = (params, api) => {
        const at = api.value(0);
        const [low, high] = [api.coord([api.value(1), at]), api.coord([api.value(2), at])];
        const style = { stroke: color("--text"), lineWidth: 1.2, opacity: 0.7 };
        const stroke = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style });
        return { type: "group", children: [stroke(low[0], low[1], high[0], high[1]), stroke(low[0], low[1] - 4, low[0], low[1] + 4), stroke(high[0], high[1] - 4, high[0], high[1] + 4)] };
      };
      const tick = (params, api) => {
        const [x, y] = api.coord([api.value(1), api.value(0)]);
        return { type: "line", shape: { x1: x, y1: y - 9, x2: x, y2: y + 9 }, style: { stroke: color("--text"), lineWidth: 2 } };
      };
      const marks = (name, rows, renderItem) => ({ name, type: "custom", silent: true, z: 3, renderItem, encode: { x: [1, 2], y: 0 }, data: rows });
      const at = (point) => points.indexOf(point);
      return {
        ...common(),
        grid: { left: 8, right: 24, top: 4, bottom: 4, containLabel: true },
        xAxis: value({ min: 0, minInterval: unit === "%" ? undefined : 1, splitNumber: 4, axisLabel: { ...quiet(), formatter: (number) => (unit === "%" ? `${number} %` : SHORT.format(number)) } }),
        yAxis: { type: "category", inverse: true, data: points.map((point) => point.name), axisLine: line(), axisTick: { show: false }, axisLabel: { ...quiet(), color: color("--text"), width: 110, overflow: "truncate" } },
        tooltip: tooltip((item) => {
          const point = points[item.dataIndex];
          const lines = [point.name, show(point.value)];
          if (point.high !== undefined) lines.push(between(show(point.low), show(point.high)));
          if (point.before !== undefined && point.before !== null) lines.push(`${word("before")}  ${show(point.before)}`);
          return lines.join("\n");
        }, "item"),
        series: [
          { type: "bar", barMaxWidth: 18, data: points.map((point) => ({ value: point.value, cursor: point.href ? "pointer" : "default", itemStyle: { color: color(point.color ? `--${point.color}` : point.is_own === false ? "--neutral" : "--accent") } })) },
          marks("interval", points.filter((point) => point.high !== undefined).map((point) => [at(point), point.low, point.high]), whisker),
          marks("period before", points.filter((point) => point.before !== undefined && point.before !== null).map((point) => [at(point), point.before, point.before]), tick),
        ],
      };
    },
  };

  function behind(chart, params) {
    if (chart.kind === "bars") return params.componentSubType === "bar" ? chart.points[params.dataIndex].href : "";
    const grain = (chart.points[0].grain || chart.grain) * 1000;
    const at = chart.kind === "emotions" ? chart.points[0].at[params.dataIndex] : chart.points[params.dataIndex].at;
    const start = new Date(at).getTime();
    const query = new URLSearchParams({ since: new Date(start).toISOString(), until: new Date(start + grain).toISOString() });
    if (chart.brand) query.set("brand", chart.brand);
    if (chart.kind === "emotions") query.set("emotion", params.seriesId);
    else if (LABELS.includes(params.seriesId)) query.set("label", params.seriesId);
    return `/mentions?${query}`;
  }

  // The place of a chart is kept from the beginning, so that nothing moves when it is drawn.
  function expect(panel) {
    const table = panel.dataset.rows ? document.getElementById(panel.dataset.rows) : panel.querySelector("table");
    const place = panel.querySelector(".chart");
    if (!place) return;
    place.hidden = !table; // nothing to show yet: the panel says so in words
    if (!table) return;
    const points = [...table.querySelectorAll("[data-point]")].map((row) => JSON.parse(row.dataset.point));
    place.hidden = !points.length;
    if (!points.length) return;
    drawn.set(place, null);
    const once = () => drawn.get(place) || draw(panel, place, table, points);
    waiting.add(once);
    charts.near(place, once);
  }

  function draw(panel, place, table, points) {
    const numbers = document.getElementById("numbers");
    const { brand = "", period = "" } = (numbers || table).dataset;
    const grain = Number(table.dataset.grain || 0);
    const chart = { kind: panel.dataset.chart, points, brand, period, grain, unit: panel.dataset.unit || "", on: charts.start(place, "canvas") };
    // It is reckoned in this moment and drawn in the next frame.
    chart.on.setOption(kinds[chart.kind](chart), { lazyUpdate: true });
    chart.on.on("click", (params) => {
      const address = behind(chart, params);
      if (address) location.assign(address);
    });
    const button = panel.querySelector("[data-png]");
    if (button) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const link = document.createElement("a");
        link.href = chart.on.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: color("--surface") });
        link.download = ["board", brand, button.dataset.png, period].filter(Boolean).join("-") + ".png";
        link.click();
      });
    }
    drawn.set(place, chart);
    document.documentElement.dataset.drawn = "yes";
  }

  function expectAll(root) {
    const panels = [...root.querySelectorAll("[data-chart]")];
    if (root.matches && root.matches("[data-chart]")) panels.push(root);
    for (const panel of panels) if (!drawn.has(panel.querySelector(".chart"))) expect(panel);
  }

  // What stands further down is asked for when somebody comes near it.
  function askNear(root) {
    for (const part of root.querySelectorAll("[hx-trigger=near]:not([data-near])")) {
      part.dataset.near = "";
      charts.near(part, () => htmx.trigger(part, "near"), { needsLibrary: false });
    }
  }

  const all = () => [...drawn.values()].filter((chart) => chart && chart.on.getDom().isConnected);
  const drawAnew = () => { for (const chart of all()) chart.on.setOption(kinds[chart.kind](chart), true); };

  // ---- on paper: the whole board, also what nobody came near ---------------------------------------
  const WAIT_MS = 15000;
  async function printWhole() {
    const missing = () => [...document.querySelectorAll("[hx-trigger=near]")].filter((part) => !part.querySelector(".problem-text"));
    for (const part of missing()) if (!part.classList.contains("htmx-request")) htmx.trigger(part, "near");
    const end = performance.now() + WAIT_MS;
    while (missing().length && performance.now() < end) await new Promise((resolve) => { setTimeout(resolve, 100); });
    await charts.bring().then(() => { for (const once of waiting) once(); }, () => {});
    print();
  }
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", printWhole);
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "p" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    printWhole();
  });
  charts.onPaper(() => all().map((chart) => chart.on), drawAnew);
  expectAll(document);
  askNear(document);
  document.body.addEventListener("htmx:load", (event) => expectAll(event.detail.elt));
  dark.addEventListener("change", drawAnew);
  addEventListener("resize", () => { for (const chart of all()) chart.on.resize(); });
})();
