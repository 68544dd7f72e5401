// Draws negative mentions by the hour beside an ordinary day and what may come. The numbers come
// with the page and stand in the table below the chart; live.js brings new ones.
"use strict";

(() => {
  const at = document.getElementById("room-chart");
  if (!at) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const font = getComputedStyle(document.body).fontFamily;
  let chart = null;
  const HOUR = 3600000;
  const WHEN = charts.when({ weekday: "short" });
  const whole = (value) => (value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
  const range = ([low, , high]) => `${whole(low)} – ${whole(high)}`;

  function draw() {
    const from = document.getElementById("room-hours");
    if (!from) return;
    chart ??= charts.start(at, "svg");
    const { words, hours } = JSON.parse(from.textContent);
    const middle = (hour) => charts.clock(hour.at) + HOUR / 2;
    const byTime = new Map(hours.map((hour) => [middle(hour), hour]));
    const past = hours.filter((hour) => hour.negatives !== null);
    const future = hours.filter((hour) => hour.coming);
    const usual = hours.filter((hour) => hour.usual);
    const now = past.length ? charts.clock(past[past.length - 1].at) + HOUR : 0;
    const flat = { type: "line", symbol: "none", silent: true, lineStyle: { opacity: 0 }, stack: "usual", tooltip: { show: false } };
    chart.setOption({
      animation: !still && !("paper" in document.documentElement.dataset), useUTC: true,
      animationDuration: 250,
      textStyle: { fontFamily: font, color: color("--quiet") },
      grid: { left: 40, right: 8, top: 28, bottom: 24 },
      legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 8, data: [words.negative, ...(usual.length ? [words.usual] : []), ...(future.length ? [words.coming] : [])], textStyle: { color: color("--quiet"), fontFamily: font }, selectedMode: false },
      xAxis: { type: "time", axisLine: { lineStyle: { color: color("--line") } }, axisTick: { show: false }, axisLabel: { color: color("--quiet"), hideOverlap: true, fontSize: 11 }, splitLine: { show: false } },
      yAxis: { type: "value", minInterval: 1, axisLabel: { color: color("--quiet"), fontSize: 11, formatter: charts.count }, splitLine: { lineStyle: { color: color("--line") } } },
      tooltip: {
        trigger: "axis", renderMode: "richText", confine: true,
        backgroundColor: color("--surface"), borderColor: color("--line"), textStyle: { color: color("--text"), fontSize: 12, lineHeight: 18 },
        axisPointer: { type: "line", lineStyle: { color: color("--quiet"), type: "dotted" } },
        formatter: (items) => {
          const hour = byTime.get(items[0].value[0]);
          if (!hour) return "";
          const lines = [`${WHEN.format(new Date(hour.at))} – ${WHEN.format(new Date(new Date(hour.at).getTime() + HOUR))}`];
          if (hour.negatives !== null) lines.push(`${words.negative}  ${charts.count(hour.negatives)}`);
          if (hour.coming) lines.push(`${words.coming}  ${range(hour.coming)}`);
          if (hour.usual) lines.push(`${words.usual}  ${range(hour.usual)}`);
          return lines.join("\n");
        },
      },
      series: [
        { ...flat, data: usual.map((hour) => [middle(hour), hour.usual[0]]) },
        { ...flat, areaStyle: { color: color("--neutral"), opacity: 0.22 }, data: usual.map((hour) => [middle(hour), hour.usual[2] - hour.usual[0]]) },
        { name: words.usual, type: "line", symbol: "none", z: 4, itemStyle: { color: color("--quiet") }, lineStyle: { color: color("--quiet"), width: 1.5, type: "dashed" }, data: usual.map((hour) => [middle(hour), hour.usual[1]]) },
        {
          name: words.negative, type: "bar", barWidth: "62%", z: 3, itemStyle: { color: color("--negative"), borderRadius: [2, 2, 0, 0] },
          data: past.map((hour) => [middle(hour), hour.negatives]),
          markLine: { silent: true, symbol: "none", animation: false, label: { show: true, formatter: words.now, color: color("--quiet"), fontSize: 11 }, lineStyle: { color: color("--quiet"), type: "dotted" }, data: future.length ? [{ xAxis: now }] : [] },
        },
        {
          name: words.coming, type: "custom", z: 3, itemStyle: { color: color("--negative"), opacity: 0.35 },
          encode: { x: 0, y: [1, 2, 3] },
          data: future.map((hour) => [middle(hour), ...hour.coming]),
          renderItem: (params, api) => {
            const low = api.coord([api.value(0), api.value(1)]);
            const mid = api.coord([api.value(0), api.value(2)]);
            const high = api.coord([api.value(0), api.value(3)]);
            const width = Math.max(4, api.size([HOUR, 0])[0] * 0.62);
            return { type: "group", children: [
              { type: "rect", shape: { x: low[0] - width / 2, y: high[1], width, height: Math.max(2, low[1] - high[1]), r: 2 }, style: { fill: color("--negative"), opacity: 0.25 } },
              { type: "line", shape: { x1: low[0] - width / 2, x2: low[0] + width / 2, y1: mid[1], y2: mid[1] }, style: { stroke: color("--negative"), lineWidth: 2 } },
            ] };
          },
        },
      ],
    }, true);
    document.documentElement.dataset.drawn = "yes";
  }

  const again = () => chart && draw();
  charts.near(at, draw);
  document.addEventListener("live:refreshed", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  charts.onPaper(() => (chart ? [chart] : []), again);
  addEventListener("resize", () => chart && chart.resize());
})();
