// Runs before the first paint, so that a remembered theme does not flash.
"use strict";
(() => {
  const read = (name) => {
    try { return localStorage.getItem(name); } catch { return null; }
  };
  const root = document.documentElement;
  const theme = read("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  if (read("density") === "compact") root.dataset.density = "compact";
})();
