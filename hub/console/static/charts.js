"use strict";
// Charts: <div class="chart" data-chart="id"> with its options in <script type="application/json" id>.
(() => {
  const SHANGHAI_MS = 8 * 3600 * 1000;
  const charts = new Map();
  const style = () => getComputedStyle(document.documentElement);
  const colour = (name) => style().getPropertyValue(name).trim();
  const base = () => ({
    animation: false,
    // Instants come in ms since 1970 and are shown in Asia/Shanghai wherever the browser stands.
    useUTC: true,
    color: [1, 2, 3, 4].map((at) => colour(`--series-${at}`)),
    textStyle: { color: colour("--quiet"), fontFamily: "inherit" },
    grid: { left: 8, right: 12, top: 34, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, icon: "roundRect", itemWidth: 14, itemHeight: 3, textStyle: { color: colour("--quiet") } },
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: colour("--card"), borderColor: colour("--line-strong"), textStyle: { color: colour("--ink"), fontSize: 12 } },
  });
  const axis = (options) => ({ axisLine: { lineStyle: { color: colour("--line-strong") } }, splitLine: { lineStyle: { color: colour("--line") } }, ...options });
  const draw = (place) => {
    const given = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    const chart = charts.get(place) ?? window.echarts.init(place, null, { renderer: "svg" });
    charts.set(place, chart);
    chart.setOption({
      ...base(),
      xAxis: axis({ type: "time", splitLine: { show: false } }),
      yAxis: axis({ type: "value", min: 0, name: given.unit, nameTextStyle: { align: "left" } }),
      series: given.series.map((one) => ({ type: "line", showSymbol: false, connectNulls: false, lineStyle: { width: 1.6 }, ...one, data: one.data.map(([at, value]) => [at + SHANGHAI_MS, value]) })),
    }, true);
  };
  const every = () => document.querySelectorAll("[data-chart]").forEach(draw);
  every();
  document.addEventListener("hub:theme", every);
  document.addEventListener("hub:part", () => { charts.forEach((chart, place) => { if (!place.isConnected) { chart.dispose(); charts.delete(place); } }); every(); });
  addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
})();
