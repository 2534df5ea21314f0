// Keyboard, theme, density, copying, local times, marks, drafts, countdowns, confirmation. Everything works without it, with less comfort.
"use strict";
(() => {
  const root = document.documentElement;
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const say = (text) => { one("#said").textContent = text; };
  const keep = (name, value) => {
    try { localStorage.setItem(name, value); } catch { /* private windows may refuse; the choice then lasts for the page */ }
    document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  };

  // Theme and density
  const showChoices = () => {
    for (const b of all("[data-set-theme]")) b.setAttribute("aria-pressed", String(b.dataset.setTheme === root.dataset.theme));
    for (const b of all("[data-toggle-density]")) b.setAttribute("aria-pressed", String(root.dataset.density === "compact"));
  };
  const setTheme = (theme) => { root.dataset.theme = theme; keep("theme", theme); showChoices(); };
  const toggleDensity = () => {
    const density = root.dataset.density === "compact" ? "comfortable" : "compact";
    root.dataset.density = density;
    keep("density", density);
    showChoices();
  };

  // Times: the server writes UTC; a relative time stays, an absolute one becomes local. UTC is in the title.
  const thisYear = new Date().getFullYear();
  const localTime = (el) => {
    const at = new Date(el.dateTime);
    if (Number.isNaN(at.getTime())) return;
    const local = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
    el.title = `${local} (${el.title})`;
    if (!/^\d/.test(el.textContent.trim()) || / ago$/.test(el.textContent.trim())) return;
    const options = at.getFullYear() === thisYear
      ? { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }
      : { day: "numeric", month: "short", year: "numeric" };
    el.textContent = at.toLocaleString(undefined, options);
  };

  // What needs the script is hidden until it is here.
  const prepare = (from) => {
    for (const el of all("time[datetime]:not([data-local])", from)) { el.dataset.local = ""; localTime(el); }
    for (const el of all("[data-copy], [data-copy-of], [data-help], [data-toggle-density], [data-theme-choice]", from)) el.hidden = false;
    for (const el of all(".filter-line .go", from)) el.classList.add("out");
    for (const el of all("[data-left]:not([data-until])", from)) el.dataset.until = Date.now() + Number(el.dataset.left);
    countMarks();
  };

  // Marks in a list: how many, and from one to another with shift
  let lastMark = null;
  const marks = () => all("[data-mark]");
  const countMarks = () => {
    const label = one("[data-marked]");
    const many = marks().filter((m) => m.checked).length;
    if (label) label.textContent = many ? `${many} marked` : "";
  };
  const markTo = (box, range) => {
    const list = marks();
    const from = list.indexOf(lastMark), to = list.indexOf(box);
    if (range && from >= 0) for (const m of list.slice(Math.min(from, to), Math.max(from, to) + 1)) m.checked = box.checked;
    lastMark = box;
    countMarks();
  };

  // The time left to answer, counted down from what the server said when the element was made
  const tick = () => {
    for (const el of all("[data-until]")) {
      const ms = Math.max(0, Number(el.dataset.until) - Date.now()), s = Math.floor(ms / 1000);
      const whole = Number(el.dataset.whole), share = whole ? Math.min(100, 100 * ms / whole) : 0;
      one("[data-left-text]", el).textContent = !s ? "Time is up"
        : s >= 3600 ? `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min left`
        : s >= 60 ? `${Math.floor(s / 60)} min ${s % 60} s left` : `${s} s left`;
      one(".rest-of", el).setAttribute("width", `${share}%`);
      el.classList.toggle("soon", ms < 60000 || share < 20);
      el.classList.toggle("over-time", !s);
    }
  };

  // A reason that is being typed outlives the page: another request may be looked at, the list fetched again.
  const draftOf = (form) => `draft ${new URL(form.action).pathname}`;
  const draft = (form, text) => {
    try {
      if (text === undefined) return sessionStorage.getItem(draftOf(form));
      if (text) sessionStorage.setItem(draftOf(form), text);
      else sessionStorage.removeItem(draftOf(form));
    } catch { /* refused: the draft lasts for the page */ }
    return null;
  };
  const restoreDrafts = (from) => {
    for (const form of all("form[data-draft]", from)) {
      const field = one("textarea", form);
      if (!field.value) field.value = draft(form) ?? "";
    }
  };
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form && "draft" in form.dataset) draft(form, event.target.value);
  });
  document.addEventListener("submit", (event) => { if ("draft" in event.target.dataset) draft(event.target, ""); });

  // The open span and its row
  const mark = () => {
    const open = one("#panel [data-span]");
    for (const row of all(".waterfall [aria-current]")) row.removeAttribute("aria-current");
    if (!open) return;
    const row = all(".waterfall a[data-row]").find((a) => new URL(a.href).searchParams.get("span") === open.dataset.span);
    if (row) row.setAttribute("aria-current", "true");
  };
  const intoView = () => one(".waterfall [aria-current]")?.closest("li").scrollIntoView({ block: "nearest" });

  const copy = async (button) => {
    const text = button.dataset.copy ?? button.parentElement.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
      say("Copied");
      const use = one("use", button);
      const was = use.getAttribute("href");
      use.setAttribute("href", was.replace(/#.*/, "#check"));
      setTimeout(() => use.setAttribute("href", was), 1500);
    } catch {
      const code = button.parentElement.querySelector("code");
      if (code) getSelection().selectAllChildren(code);
      say("The browser does not allow copying here. The text is selected; copy it with the keyboard.");
    }
  };

  const confirmed = new WeakSet();
  const ask = (button) => {
    const dialog = one("#confirm");
    one("#confirm-text").textContent = button.dataset.confirm;
    one("[data-confirm-yes]").textContent = button.dataset.confirmWord ?? "Yes";
    dialog.returnValue = "";
    dialog.onclose = () => {
      if (dialog.returnValue !== "yes") return;
      confirmed.add(button);
      button.form.requestSubmit(button);
    };
    dialog.showModal();
  };

  document.addEventListener("click", (event) => {
    if ("mark" in event.target.dataset) markTo(event.target, event.shiftKey);
    const at = event.target.closest("button, summary");
    for (const menu of all(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    if (!at) return;
    if (at.dataset.confirm && !confirmed.has(at)) { event.preventDefault(); ask(at); }
    else if (at.dataset.setTheme) setTheme(at.dataset.setTheme);
    else if ("toggleDensity" in at.dataset) toggleDensity();
    else if ("help" in at.dataset) one("#help").showModal();
    else if ("copy" in at.dataset || "copyOf" in at.dataset) copy(at);
  });

  // Keyboard
  const rows = () => all("a[data-row]");
  const step = (by) => {
    const list = rows();
    if (!list.length) return null;
    const here = list.indexOf(document.activeElement?.closest("tr, li")?.querySelector("a[data-row]"));
    const from = here >= 0 ? here : list.findIndex((a) => a.hasAttribute("aria-current"));
    const next = list[Math.min(list.length - 1, Math.max(0, from < 0 ? (by > 0 ? 0 : list.length - 1) : from + by))];
    next.focus({ preventScroll: true });
    next.closest("li, tr").scrollIntoView({ block: "nearest" });
    return next;
  };
  const markRow = () => {
    const box = document.activeElement?.closest("tr")?.querySelector("[data-mark]");
    if (!box) return;
    box.checked = !box.checked;
    markTo(box, false);
    say(box.checked ? "Marked" : "Not marked");
  };
  const neighbour = (by) => {
    if (!one("#panel [data-span]")) return;
    const list = rows();
    const next = list[list.findIndex((a) => a.hasAttribute("aria-current")) + by];
    if (next) { next.click(); next.closest("li").scrollIntoView({ block: "nearest" }); }
  };
  const escape = () => {
    const menu = one(".menu[open]");
    if (menu) { menu.open = false; one("summary", menu).focus(); return true; }
    const close = one("#panel [data-close]");
    if (!close) return false;
    const row = one(".waterfall [aria-current]");
    close.click();
    row?.focus({ preventScroll: true });
    return true;
  };
  // A chart is one stop of the Tab key; the arrows go from step to step in it.
  const stepChart = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const here = by && event.target.closest("[data-col]");
    if (!here) return;
    const steps = all("[data-col]", here.closest("[data-chart]"));
    const next = steps[Math.min(steps.length - 1, Math.max(0, steps.indexOf(here) + by))];
    event.preventDefault();
    here.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  };
  document.addEventListener("keydown", stepChart);
  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    const typing = event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]");
    if (event.key === "Escape") {
      if (typing) typing.blur();
      else if (escape()) event.preventDefault();
      return;
    }
    if (typing) return;
    const go = Date.now() - going < 1500 && one(`[data-go="${CSS.escape(event.key)}"]`);
    going = event.key === "g" ? Date.now() : 0;
    const act = {
      j: () => step(1), k: () => step(-1), x: markRow, "[": () => neighbour(-1), "]": () => neighbour(1),
      "/": () => one("[data-query]")?.focus(), "?": () => one("#help")?.showModal(),
      p: () => document.dispatchEvent(new Event("live:toggle")),
    }[event.key];
    if (go) { event.preventDefault(); location.assign(go.href); }
    else if (act) { event.preventDefault(); act(); }
  });

  // htmx
  document.addEventListener("htmx:configRequest", (event) => {
    // A filter that is empty has no place in the URL.
    const p = event.detail.parameters;
    if (event.detail.verb === "get") for (const name of Object.keys(p)) if (p[name] === "") delete p[name];
  });
  // Of two answers for one place the one asked for last stays, whichever comes last. (`hx-sync` would log an error for the
  // one it gives up, or lose the one it lets wait: the link it was asked by is gone by then.)
  const asked = new WeakMap();
  document.addEventListener("htmx:beforeRequest", (event) => asked.set(event.detail.target, event.detail.xhr));
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (asked.get(event.detail.requestConfig.target) !== event.detail.xhr) event.preventDefault();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    prepare(document);
    one("#problem").replaceChildren(...(event.detail.target.id === "problem" ? one("#problem").childNodes : []));
    if (event.detail.target.id === "panel") { one("#panel").scrollTop = 0; mark(); }
  });
  // A block that came by itself: as new as one that was asked for, but the message line is not about it.
  document.addEventListener("live:brought", () => { prepare(document); restoreDrafts(document); mark(); tick(); });
  const unreachable = () => {
    const note = document.createElement("p");
    note.className = "note error";
    note.textContent = "The server did not answer. Check the connection, then try again.";
    one("#problem")?.replaceChildren(note);
  };
  document.addEventListener("htmx:sendError", unreachable);
  document.addEventListener("htmx:timeout", unreachable);

  root.dataset.live = "";
  prepare(document);
  restoreDrafts(document);
  showChoices();
  setInterval(tick, 1000);
  // Where the page itself scrolls (a phone), its header is what to see first.
  if (matchMedia("(min-width: 721px)").matches) intoView();
})();
