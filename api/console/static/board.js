// Draws the board's charts. The numbers come from /board/data; the same numbers stand in the
// page's table. Tooltips are rich text, not HTML, because the page allows no inline style.
"use strict";

(() => {
  const volumeAt = document.getElementById("volume-chart");
  const netAt = document.getElementById("net-chart");
  if (!volumeAt || typeof echarts === "undefined") return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const font = getComputedStyle(document.body).fontFamily;
  const WHEN = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
  const signed = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(2);
  const charts = [volumeAt, netAt].map((el) => echarts.init(el, null, { renderer: "svg" }));

  let from = 0, to = 0;

  function common() {
    return {
      animation: !still,
      animationDuration: 250,
      textStyle: { fontFamily: font, color: color("--quiet") },
      grid: { left: 44, right: 12, top: 32, bottom: 28 },
      xAxis: { type: "time", min: from, max: to, axisLine: { lineStyle: { color: color("--line") } }, axisTick: { show: false }, axisLabel: { color: color("--quiet"), hideOverlap: true, fontSize: 12 }, splitLine: { show: false } },
    };
  }

  const tooltip = (formatter) => ({
    trigger: "axis", renderMode: "richText", formatter, confine: true,
    backgroundColor: color("--surface"), borderColor: color("--line"),
    textStyle: { color: color("--text"), fontSize: 12, lineHeight: 18 },
    axisPointer: { type: "line", lineStyle: { color: color("--quiet"), type: "dotted" } },
  });

  function draw(data) {
    from = new Date(data.points[0].at).getTime();
    to = new Date(data.points[data.points.length - 1].at).getTime() + data.grain_s * 1000;
    const labels = ["negative", "neutral", "positive", "unknown"];
    const middle = (at) => new Date(at).getTime() + data.grain_s * 500;
    const byTime = new Map(data.points.map((point) => [middle(point.at), point]));
    const yAxis = { type: "value", axisLabel: { color: color("--quiet") }, splitLine: { lineStyle: { color: color("--line") } } };
    charts[0].setOption({
      ...common(),
      legend: { top: 0, left: 0, itemWidth: 10, itemHeight: 10, textStyle: { color: color("--quiet"), fontFamily: font } },
      yAxis: { ...yAxis, minInterval: 1 },
      tooltip: tooltip((items) => {
        const point = byTime.get(items[0].value[0]);
        return [WHEN.format(new Date(point.at)), ...labels.map((label) => `${label}  ${point[label]}`)].join("\n");
      }),
      series: labels.map((label) => ({
        name: label, type: "bar", stack: "all", barCategoryGap: "15%", cursor: "pointer",
        itemStyle: { color: color(`--${label}`) },
        data: data.points.map((point) => [middle(point.at), point[label]]),
      })),
    }, true);
    const judged = data.points.filter((point) => point.net !== null);
    charts[1].setOption({
      ...common(),
      yAxis: { ...yAxis, min: -1, max: 1, interval: 0.5, axisLabel: { color: color("--quiet"), formatter: (value) => (value ? signed(value).replace(/0$/, "") : "0") } },
      tooltip: tooltip((items) => {
        const point = byTime.get(items[0].value[0]);
        return `${WHEN.format(new Date(point.at))}\nnet ${signed(point.net)}\n${signed(point.low)} to ${signed(point.high)}`;
      }),
      series: [
        {
          name: "interval", type: "custom", silent: true, z: 1,
          encode: { x: 0, y: [1, 2] },
          data: judged.map((point) => [middle(point.at), point.low, point.high]),
          renderItem: (params, api) => {
            const low = api.coord([api.value(0), api.value(1)]);
            const high = api.coord([api.value(0), api.value(2)]);
            const width = Math.max(3, api.size([data.grain_s * 1000, 0])[0] * 0.6);
            return { type: "rect", shape: { x: low[0] - width / 2, y: high[1], width, height: low[1] - high[1], r: 2 }, style: { fill: color("--accent"), opacity: 0.22 } };
          },
        },
        {
          name: "net", type: "line", symbolSize: 5, z: 2, connectNulls: false,
          lineStyle: { width: 1.5, color: color("--accent") }, itemStyle: { color: color("--accent") },
          data: data.points.map((point) => [middle(point.at), point.net]),
        },
      ],
    }, true);
    const open = (params) => {
      const point = byTime.get(params.value[0]);
      if (!point) return;
      const start = new Date(point.at);
      const query = new URLSearchParams({ since: start.toISOString(), until: new Date(start.getTime() + data.grain_s * 1000).toISOString() });
      if (data.brand) query.set("brand", data.brand);
      if (labels.includes(params.seriesName)) query.set("label", params.seriesName);
      location.assign(`/mentions?${query}`);
    };
    for (const chart of charts) { chart.off("click"); chart.on("click", open); }
  }

  fetch(volumeAt.dataset.src, { headers: { Accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
    .then((data) => {
      draw(data);
      dark.addEventListener("change", () => draw(data));
      addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
      document.documentElement.dataset.drawn = "yes";
    })
    .catch(() => { volumeAt.textContent = "The chart could not be drawn; the numbers are in the table below."; });
})();
