// The graph of a trace: steps open beside it, arrow keys walk along its edges, it can be dragged. Without this every node
// is a link that loads the page.
"use strict";
(() => {
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const svg = () => one("svg[data-graph]");
  const nodes = () => all("a.node", svg());
  const middle = (el) => { const b = el.getBoundingClientRect(); return { x: b.left + b.width / 2, y: b.top + b.height / 2 }; };

  // A click brings the panel alone, and its address; htmx takes care of links in HTML only.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("svg[data-graph] a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    if (dragged) return;
    const target = "unfold" in link.dataset ? "#tree" : "#panel";
    const href = link.getAttribute("href");
    const url = new URL(href, location.href);
    if (target === "#tree") again = { n: link.dataset.n ?? "", x: one(".canvas").scrollLeft, y: one(".canvas").scrollTop };
    // Both states are marked as htmx marks its own, so that going back loads what was there.
    htmx.ajax("GET", url.pathname + url.search, { target, swap: "innerHTML show:none" }).then(() => {
      history.replaceState({ htmx: true }, "", location.href);
      history.pushState({ htmx: true }, "", url);
    }, () => { /* app.js says that the server did not answer */ });
  });

  // What leads to the open step and what follows from it, as the server marks it too
  const highlight = (open) => {
    const graph = svg();
    if (!graph) return;
    const edges = all("path.e[data-from]", graph);
    const on = new Set(), ways = new Set();
    const current = open && all("a.node", graph).find((a) => a.dataset.n === open);
    for (const a of all("a.node[aria-current]", graph)) a.removeAttribute("aria-current");
    if (current) {
      current.setAttribute("aria-current", "true");
      for (const [from, to] of [["from", "to"], ["to", "from"]]) {
        const next = new Map();
        for (const e of edges) next.set(e.dataset[from], [...(next.get(e.dataset[from]) ?? []), e]);
        const seen = new Set([open]), todo = [open];
        while (todo.length) for (const e of next.get(todo.pop()) ?? []) {
          ways.add(e);
          if (!seen.has(e.dataset[to])) { seen.add(e.dataset[to]); todo.push(e.dataset[to]); }
        }
        for (const n of seen) on.add(n);
      }
    }
    for (const e of edges) {
      e.classList.toggle("on", ways.has(e));
      e.setAttribute("marker-end", `url(#head-${e.dataset.type}${ways.has(e) ? "-on" : ""})`);
    }
    for (const a of all(".node[data-n]", graph)) a.closest(".knot").classList.toggle("on-path", on.has(a.dataset.n));
  };

  // Arrow keys: along the edges in the direction they are drawn, across to the neighbour in the same layer
  const step = (key) => {
    const here = document.activeElement, graph = svg(), n = here.dataset.n;
    const along = graph.dataset.graph === "down" ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
    const at = middle(here), list = nodes().filter((a) => a !== here);
    let found;
    if (along.includes(key)) {
      const ahead = key === along[1] ? 1 : -1, layer = Number(here.dataset.layer);
      const linked = new Set();
      for (const e of all("path.e[data-from]", graph)) {
        if (e.dataset.from === n) linked.add(e.dataset.to);
        if (e.dataset.to === n) linked.add(e.dataset.from);
      }
      found = list.filter((a) => linked.has(a.dataset.n) && (Number(a.dataset.layer) - layer) * ahead > 0);
    } else {
      const ahead = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1, rank = Number(here.dataset.rank);
      found = list.filter((a) => a.dataset.layer === here.dataset.layer && (Number(a.dataset.rank) - rank) * ahead > 0);
    }
    const far = (a) => { const b = middle(a); return Math.hypot(a.dataset.layer === here.dataset.layer ? b.x - at.x : 3 * (b.x - at.x), b.y - at.y); };
    return found.sort((a, b) => far(a) - far(b))[0];
  };
  document.addEventListener("keydown", (event) => {
    if (!event.key.startsWith("Arrow") || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (!document.activeElement?.matches("svg[data-graph] a.node")) return;
    event.preventDefault();
    const next = step(event.key);
    if (!next) return;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  });

  // Dragging moves the drawing; a drag is no click.
  let drag = null, dragged = false, again = null;
  document.addEventListener("pointerdown", (event) => {
    const area = event.target.closest?.(".canvas");
    dragged = false;
    if (!area || event.pointerType !== "mouse" || event.button) return;
    drag = { area, x: event.clientX, y: event.clientY, left: area.scrollLeft, top: area.scrollTop };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const x = event.clientX - drag.x, y = event.clientY - drag.y;
    if (!dragged && Math.hypot(x, y) < 5) return;
    dragged = true;
    drag.area.classList.add("panning");
    drag.area.scrollLeft = drag.left - x;
    drag.area.scrollTop = drag.top - y;
  });
  const drop = () => { drag?.area.classList.remove("panning"); drag = null; };
  for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, drop);
  document.addEventListener("dragstart", (event) => { if (event.target.closest?.(".canvas")) event.preventDefault(); });

  const show = () => {
    one(".canvas")?.classList.add("pans");
    // Within its area alone: on a phone the page itself would scroll past its header.
    const open = one("svg[data-graph] a[aria-current]")?.getBoundingClientRect(), area = one(".canvas");
    if (!open) return;
    const box = area.getBoundingClientRect();
    if (open.right > box.right || open.left < box.left) area.scrollLeft += open.left + open.width / 2 - box.left - box.width / 2;
    if (open.bottom > box.bottom - 20) area.scrollTop += open.top + open.height / 2 - box.top - box.height / 2;
  };
  let closing = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    closing = event.detail.target.id === "panel" && svg() ? one("a.node[aria-current]", svg()) : null;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "panel") {
      const open = one("#panel [data-span]")?.dataset.span ?? "";
      highlight(open);
      if (!open && closing) closing.focus({ preventScroll: true });
    }
    if (event.detail.target.id !== "tree" || !svg()) return;
    if (!again) { show(); return; }
    one(".canvas").classList.add("pans");
    one(".canvas").scrollTo(again.x, again.y);
    (nodes().find((a) => a.dataset.n === again.n) ?? nodes().find((a) => a.dataset.n === again.n.slice(1)))?.focus();
    again = null;
  });
  show();
})();
