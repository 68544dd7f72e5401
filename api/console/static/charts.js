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

  function near(place, draw) {
    const watch = new IntersectionObserver((seen) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      watch.disconnect();
      idle(() => bring().then(draw, () => { place.hidden = true; }));
    }, { rootMargin: "200px" });
    watch.observe(place);
  }

  return { near };
})();
