// Draws the network of accounts that post the same. The same stands in the table behind it.
"use strict";

(() => {
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let chart = null;

  function draw() {
    const at = document.getElementById("why-network");
    const from = document.getElementById("why-network-data");
    if (!at || !from) return;
    if (chart) chart.dispose();
    const { words, nodes, links } = JSON.parse(from.textContent);
    const most = Math.max(1, ...nodes.map((node) => node.value));
    chart = charts.start(at, "svg");
    chart.setOption({
      animation: !still,
      tooltip: {
        renderMode: "richText", confine: true,
        formatter: (item) => item.dataType === "edge" ? `${words.common}  ${charts.count(item.data.value)}` : `${item.data.name}\n${words.posts}  ${charts.count(item.data.value)}`,
        backgroundColor: color("--surface"), borderColor: color("--line"), textStyle: { color: color("--text"), fontSize: 12 },
      },
      series: [{
        type: "graph", layout: "force", roam: true, draggable: true,
        force: { repulsion: 160, edgeLength: [50, 140], layoutAnimation: !still },
        data: nodes.map((node) => ({ ...node, symbolSize: 8 + 16 * Math.sqrt(node.value / most), label: { show: nodes.length <= 20 } })),
        links: links.map((link) => ({ ...link, lineStyle: { width: Math.min(1 + link.value, 6) } })),
        label: { color: color("--text"), position: "right", fontSize: 11 },
        itemStyle: { color: color("--negative") },
        lineStyle: { color: color("--quiet"), opacity: 0.6 },
      }],
    });
  }

  function drawNear() {
    const at = document.getElementById("why-network");
    if (at) charts.near(at, draw);
  }

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.closest && event.target.closest("#why")) drawNear();
  });
  addEventListener("resize", () => chart && chart.resize());
  document.addEventListener("DOMContentLoaded", drawNear);
})();
