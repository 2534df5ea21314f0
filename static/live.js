// Keeps an open page up to date: one stream of what changed, and each block with `data-live` fetched again when something
// of its topics has. Without this script a page stays as it was made.
"use strict";
(() => {
  const root = document.documentElement, from = document.body.dataset;
  if (!from.events) return;
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  const REST = 500; // between two fetches of a block, and three times as long as a fetch took
  const STILL = 5000; // a pointer that rested for so long over a list does not read in it
  const HIDDEN = 10000; // a tab out of sight gives its stream up: browsers allow six for all tabs of a plain server
  const SAID = {
    live: ["circle-dot", "Live", "Pause live updates", "What happens shows up by itself"],
    paused: ["pause", "Paused", "Resume live updates", "Nothing changes by itself"],
    away: ["loader", "Reconnecting", "Pause live updates", "The server does not answer; it is asked again by itself"],
    over: ["circle-x", "Not live", "Load the page again", ""],
  };

  // How it stands: shown in the rail, said aloud only when it changes
  let state = "", spoken = "live", speaking = 0;
  const show = (now, why = "") => {
    if (state === now) return;
    state = root.dataset.stream = now;
    const [icon, word, action, title] = SAID[now];
    for (const button of all("[data-live-toggle]")) {
      const use = one("use", button);
      use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
      one(".word", button).textContent = button.matches(".stream") ? word : action;
      button.title = `${why || title}. ${action}`.replace("..", ".");
      button.hidden = false;
    }
    // A restart that takes a second is not worth a word.
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      if (spoken === now) return;
      spoken = now;
      one("#said").textContent = why || { live: "Live again", paused: "Live updates are paused", away: "Reconnecting to the server", over: "" }[now];
    }, now === "away" ? 3000 : 0);
  };

  // The stream
  let mark = from.since, source = null, tries = 0, retry = 0, over = false;
  let paused = false;
  try { paused = sessionStorage.getItem("paused") === "yes"; } catch { /* refused: a pause lasts for the page */ }
  const close = () => { clearTimeout(retry); source?.close(); source = null; };
  const end = (why) => { over = true; close(); show("over", why); };
  const open = () => {
    if (source || paused || over || document.hidden) return;
    clearTimeout(retry);
    source = new EventSource(`${from.events}&since=${encodeURIComponent(mark)}`);
    const got = (event) => { if (event.lastEventId) mark = event.lastEventId; };
    source.addEventListener("ready", (event) => { got(event); tries = 0; show("live"); });
    source.addEventListener("change", (event) => { got(event); touch(JSON.parse(event.data)); });
    source.addEventListener("over", (event) => end(JSON.parse(event.data).reason));
    source.onerror = () => {
      const refused = source.readyState === EventSource.CLOSED;
      close();
      show("away");
      const wait = Math.min(10000, 500 * 1.5 ** Math.min(tries++, 8)) * (0.75 + Math.random() / 2);
      retry = setTimeout(async () => {
        // A stream does not say why it was refused; another request does: signed out, or only busy.
        if (refused) await fetchBlock("/pending", "places").catch(() => null);
        open();
      }, wait);
    };
  };
  const toggle = () => {
    if (over) { location.reload(); return; }
    paused = !paused;
    try { sessionStorage.setItem("paused", paused ? "yes" : "no"); } catch { /* as above */ }
    if (paused) { close(); show("paused"); } else { show("away"); open(); pump(); }
  };

  // What has to be fetched again, and when it may be
  const dirty = new Set(), kept = new Set(), rested = new WeakMap();
  let busy = false, later = 0;
  const concerns = (block, said) => block.dataset.live.split(" ").some((wanted) => {
    const [topic, id] = wanted.split(":");
    return topic in said && (!id || said[topic] === "all" || said[topic].includes(id));
  });
  const touch = (said) => {
    for (const block of all("[data-live]")) if (concerns(block, said)) dirty.add(block);
    pump();
  };
  const pump = async () => {
    clearTimeout(later);
    if (busy || paused || over || document.hidden) return;
    for (const block of dirty) if (!block.isConnected) dirty.delete(block);
    const now = performance.now(), due = (block) => rested.get(block) ?? 0;
    const next = [...dirty].sort((a, b) => due(a) - due(b))[0];
    if (!next) return;
    if (due(next) > now) { later = setTimeout(pump, due(next) - now); return; }
    dirty.delete(next);
    busy = true;
    let rest = Math.max(REST, Number(next.dataset.liveRest) || 0);
    try {
      if (!await refresh(next)) { dirty.add(next); rest = 2 * REST; }
    } catch {
      dirty.add(next); // the server is away: the stream says so, and goes on when it is back
      rest = 6 * REST;
    }
    busy = false;
    rested.set(next, performance.now() + Math.max(rest, 3 * (performance.now() - now)));
    pump();
  };

  const fetchBlock = async (path, id) => {
    const headers = { Accept: "text/html", "HX-Request": "true", "HX-Target": id, "AuditTrail-Live": "true" };
    const answer = await fetch(path, { headers, signal: AbortSignal.timeout(20000) });
    if (answer.headers.has("HX-Redirect")) { end("You are signed out. Load the page again."); return null; }
    if (!answer.ok || answer.headers.has("HX-Retarget")) {
      if (answer.status >= 500) throw new Error(`status ${answer.status}`);
      return null; // it is gone, or no longer mine: what is on the screen stays there
    }
    if ((answer.headers.get("AuditTrail-Project") ?? from.project) !== from.project) {
      end("Another project is looked at in this browser now. Load the page again.");
      return null;
    }
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    return template.content;
  };

  // What was kept as it is for somebody who reads it is brought up to date when they have gone.
  setInterval(() => {
    for (const block of kept) if (!all("[data-rows]", block).some(reading) && !readsPanel(block)) {
      kept.delete(block);
      dirty.add(block);
    }
    if (dirty.size) pump();
  }, 1000);

  // False: not now, the person is at it
  const refresh = async (block) => {
    if (block.dataset.liveUrl) {
      const parts = await fetchBlock(block.dataset.liveUrl, block.id);
      for (const part of [...parts?.children ?? []]) {
        const there = document.getElementById(part.id);
        if (there) Idiomorph.morph(there, part);
      }
      return true;
    }
    const before = location.href, url = new URL(before);
    const lists = all("[data-rows]", block);
    const shown = Math.max(0, ...lists.map((list) => list.matches("tbody") ? rowsOf(list).length : 0));
    if (shown > 50) url.searchParams.set("limit", Math.min(500, shown));
    const lines = all(".waterfall > li", block).length;
    if (lines > 500) url.searchParams.set("lines", Math.min(2000, lines));
    const fresh = await fetchBlock(url.pathname + url.search, block.id);
    if (!fresh) return true;
    if (location.href !== before || !block.isConnected || one(".htmx-request", block) || one("dialog[open]")) return false;
    const news = all("[data-rows]", fresh);
    if (lists.length === news.length && lists.some(reading) && !forced) { keepStill(block, lists, news); return true; }
    forced = false;
    kept.delete(block);
    bring(block, fresh);
    return true;
  };

  // A list that somebody reads: rows change where they stand, and none comes or goes.
  const rowsOf = (list) => [...list.children].filter((row) => row.id);
  let movedAt = 0, movedOver = null, forced = false;
  document.addEventListener("pointermove", (event) => {
    movedAt = Date.now();
    movedOver = event.target.closest?.("[data-rows]");
  }, { passive: true });
  const chosen = (within) => { const s = getSelection(); return !s.isCollapsed && within.contains(s.anchorNode); };
  const reading = (list) => rowsOf(list).length > 0 && (
    list.contains(document.activeElement) || chosen(list) || one("[data-mark]:checked", list) ||
    (movedOver === list && Date.now() - movedAt < STILL) ||
    (list.matches("tbody") && list.getBoundingClientRect().top < 0));
  const keepStill = (block, lists, news) => {
    let count = 0, noun = "";
    kept.add(block);
    lists.forEach((list, i) => {
      const fresh = new Map(rowsOf(news[i]).map((row) => [row.id, row]));
      const known = rowsOf(list);
      const order = [...fresh.keys()], had = new Set(known.map((row) => row.id));
      const last = list.matches("tbody") ? Math.max(...order.map((id, at) => had.has(id) ? at : -1)) : order.length;
      const more = order.filter((id, at) => !had.has(id) && (at < last || last < 0)).length;
      if (more && list.dataset.rows) { count += more; noun = list.dataset.rows; }
      for (const row of known) if (fresh.has(row.id)) Idiomorph.morph(row, fresh.get(row.id), { callbacks: CALLBACKS });
    });
    tidy(block);
    const line = one("[data-news]", block);
    const text = count ? `${count} new ${noun}${count === 1 ? "" : "s"}. Show` : "";
    if (!line || line.textContent === text) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.dataset.showNews = "";
    button.textContent = text;
    line.replaceChildren(...(text ? [button] : []));
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-live-toggle]")) toggle();
    if (!event.target.closest("[data-show-news]")) return;
    const block = event.target.closest("[data-live]");
    forced = true;
    scrollTo(0, 0);
    dirty.add(block);
    rested.delete(block);
    one("#main").focus({ preventScroll: true });
    pump();
  });

  // The new block into the old one's place, so that what has not changed stays the same element: focus, selection, scroll,
  // what was typed, marked and folded.
  const OF_THE_PERSON = ["value", "checked", "selected"];
  let keepPanel = false;
  const CALLBACKS = {
    beforeAttributeUpdated: (name, el) => !(name === "open" && el.localName === "details")
      && !(OF_THE_PERSON.includes(name) && el.matches("input:not([type=hidden]), textarea, option")),
    beforeNodeMorphed: (old) => !(keepPanel && old.id === "panel"),
    afterNodeAdded: (added) => { if (added.matches?.("[data-rows] > *, .waterfall > li")) added.classList.add("arrived"); },
  };
  const readsPanel = (block) => {
    const panel = one("#panel", block);
    return Boolean(panel) && (panel.matches(":hover") || panel.contains(document.activeElement) || panel.scrollTop > 0 || chosen(panel));
  };
  const bring = (block, fresh) => {
    // The page opens the step that matters; when another comes to matter, a panel that is being read does not change.
    const step = (within) => one("#panel [data-span]", within)?.dataset.span;
    keepPanel = !new URL(location).searchParams.get("span") && step(block) && step(block) !== step(fresh) && readsPanel(block);
    Idiomorph.morph(block, fresh.childNodes, { morphStyle: "innerHTML", callbacks: CALLBACKS });
    if (keepPanel) kept.add(block);
    keepPanel = false;
    tidy(block);
  };
  const tidy = (block) => {
    htmx.process(block);
    const title = one("[data-title]", block)?.dataset.title;
    if (title) document.title = title;
    document.dispatchEvent(new CustomEvent("live:brought"));
  };

  document.addEventListener("live:toggle", toggle);
  let leaving = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (document.hidden) leaving = setTimeout(close, HIDDEN);
    else { open(); pump(); }
  });
  // A page in the browser's cache for "back" holds no stream, and catches up when it is shown again.
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  show(paused ? "paused" : "live");
  open();
})();
