// Brings the chart library, which is heavier than the rest of a page together, when a chart
// is near the screen and the browser has nothing else to do. Without it the tables stay.
"use strict";

const charts = (() => {
  const address = document.currentScript.dataset.library;
  const idle = window.requestIdleCallback ? (act) => requestIdleCallback(act, { timeout: 2000 }) : setTimeout;
  let coming = null;

  function bring() {
    coming ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.addEventListener("load", resolve);
      script.addEventListener("error", reject);
      document.head.append(script);
    });
    return coming;
  }

  function near(place, draw, { needsLibrary = true } = {}) {
    const watch = new IntersectionObserver((seen) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      watch.disconnect();
      if (!needsLibrary) { draw(); return; }
      // Each chart has a moment of its own, so that a tap in between is answered.
      idle(() => bring().then(() => idle(draw), () => { place.hidden = true; }));
    }, { rootMargin: "200px" });
    watch.observe(place);
  }

  // Names of months and days in the reader's language: the library brings English and Chinese.
  function names(part, length, first, step) {
    const format = new Intl.DateTimeFormat(document.documentElement.lang || undefined, { [part]: length, timeZone: "UTC" });
    return Array.from({ length: step === "month" ? 12 : 7 }, (_, at) => format.format(new Date(step === "month" ? Date.UTC(2023, at, 15) : Date.UTC(2023, 0, first + at))));
  }

  // The library draws time in the browser's zone or in UTC, everything else on a page is in the
  // reader's (`data-zone` of the page): a moment is given to it as the one at which UTC's clock shows
  // what the reader's does (`useUTC`). Where clocks go back, two hours lie on each other that night.
  const ZONE = "asksZone" in document.documentElement.dataset ? undefined : document.documentElement.dataset.zone;
  const PARTS = new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
  function clock(text) {
    const at = Object.fromEntries(PARTS.formatToParts(new Date(text)).map((part) => [part.type, Number(part.value)]));
    return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second);
  }

  function start(place, renderer) {
    const time = {
      month: names("month", "long", 1, "month"), monthAbbr: names("month", "short", 1, "month"),
      dayOfWeek: names("weekday", "long", 1, "day"), dayOfWeekAbbr: names("weekday", "short", 1, "day"), // 1 January 2023 was a Sunday
    };
    return echarts.init(place, null, { renderer, locale: { time } });
  }

  // A number of things as the reader's language writes it: 12,345 or 12.345.
  const count = new Intl.NumberFormat(document.documentElement.lang || undefined, { maximumFractionDigits: 1 });

  // How a moment is written beside a chart: in the reader's language and zone.
  const when = (parts) => new Intl.DateTimeFormat(document.documentElement.lang || undefined, { ...parts, hour: "2-digit", minute: "2-digit", timeZone: ZONE });

  // Paper is white and as wide as it is: charts are drawn anew for it, and again for the screen.
  const PAPER_PX = 680;
  function onPaper(all, drawAnew) {
    const root = document.documentElement;
    addEventListener("beforeprint", () => {
      root.dataset.paper = "";
      for (const one of all()) {
        one.resize({ width: Math.min(one.getWidth(), PAPER_PX) });
        drawAnew();
        one.getZr().flush();
      }
    });
    addEventListener("afterprint", () => {
      delete root.dataset.paper;
      for (const one of all()) one.resize({ width: "auto" });
      drawAnew();
    });
  }

  return { bring, near, onPaper, start, clock, when, count: (number) => count.format(number) };
})();
