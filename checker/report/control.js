// What the reader does: looks elsewhere, selects, filters, steps from error to error.

// The least that is shown: at all, of a failure by operations, and by moments; ns or positions.
const [CLOSEST, CLOSE_OP, CLOSE] = data.clock === "ns" ? [2e3, 1e6, 2e7] : [6, 30, 30];
const SPAN_MIN = Math.min(CLOSEST, Math.max(6, data.end / 10));
const MARGIN = data.end * 0.02 + SPAN_MIN / 2;     // of nothing, before and after everything
const MATCHES_MAX = 200;
// The marks, each operation once.
const errors = marks.filter((mark, number) => mark.op === null ||
  marks.findIndex((other) => other.op === mark.op) === number);
const status = document.getElementById("status");
const field = (name) => document.getElementById(`filter-${name}`);

function look(from, to) {
  const size = Math.max(SPAN_MIN, Math.min(to - from, data.end + 2 * MARGIN));
  const middle = (from + to) / 2;
  view.from = Math.max(-MARGIN, Math.min(middle - size / 2, data.end + MARGIN - size));
  view.to = view.from + size;
  refresh();
}

let asked = false;
function refresh() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { if (asked) redraw(); });
}

function redraw() {
  asked = false;
  draw();
  const hidden = layout.hidden ? ` · ${layout.hidden} messages not drawn: zoom in` : "";
  const called = data.valid === null ? "mark" : "error";
  const whole = view.mark === null ? `${errors.length} ${called}${errors.length === 1 ? "" : "s"}`
    : `${called} ${view.mark + 1} of ${errors.length}`;
  status.textContent = `${at(Math.max(0, Math.round(view.from)))} to ${at(Math.round(view.to))}` +
    ` (${span(Math.round(view.to - view.from))}) · ${whole}${hidden}`;
  overview();
}

// The view, as a frame over the plots of the whole run.
function overview() {
  const frame = document.getElementById("window");
  if (!frame) return;
  const { left, right } = frame.parentElement.dataset;
  const place = (time) => +left + (+right - left) * Math.min(1, Math.max(0, time / data.end));
  frame.style.left = `${100 * place(view.from)}%`;
  frame.style.width = `${Math.max(0.2, 100 * (place(view.to) - place(view.from)))}%`;
}

const zoom = (times, middle = (view.from + view.to) / 2) =>
  look(middle - (middle - view.from) * times, middle + (view.to - middle) * times);
const pan = (part) => look(view.from + part * (view.to - view.from),
  view.to + part * (view.to - view.from));
const wholeRun = () => look(0 - data.end * 0.01, data.end * 1.01);

function failure() {
  const somewhere = moments.some((moment) => moment.op !== null);
  if (!moments.length || data.valid === null && !somewhere) return wholeRun();
  const first = moments[0].time, last = Math.max(...moments.map((moment) => moment.op === null
    ? moment.time : Math.min(data.end, byOp.get(moment.op)?.end ?? moment.time)));
  const least = Math.max(somewhere ? CLOSE_OP : CLOSE,
    moments.length === 1 ? 4 * (last - first) : 0);
  const size = Math.max(last - first, least), middle = (first + last) / 2;
  return look(middle - size * 0.56, middle + size * 0.64);
}

function see(from, to) {
  if (from >= view.from && to <= view.to) return refresh();
  const size = view.to - view.from, middle = (from + to) / 2;
  return look(middle - size / 2, middle + size / 2);
}

function select(op, closer = false) {
  const call = byOp.get(op);
  if (!call) return;
  view.selected = call;
  showCall(call);
  const end = Math.min(call.end, data.end), room = Math.max(CLOSE_OP / 25, 2 * (end - call.start));
  if (closer) look(call.start - room, end + room); else see(call.start, end);
}

function step(by) {
  if (!errors.length) return;
  view.mark = view.mark === null ? (by > 0 ? 0 : errors.length - 1)
    : (view.mark + by + errors.length) % errors.length;
  const mark = errors[view.mark];
  if (mark.op !== null && byOp.has(mark.op)) return select(mark.op);
  view.selected = null;
  showMark(mark);
  return see(mark.time, mark.time);
}

// The filter: what does not match is dimmed, what matches is listed.
function matches(call, wanted) {
  return (!wanted.process || String(call.process) === wanted.process) &&
    (!wanted.key || call.key === wanted.key) && (!wanted.kind || call.f === wanted.kind) &&
    (!wanted.outcome || (wanted.outcome === "errors" ? call.marks.length > 0
      : call.outcome === wanted.outcome)) &&
    (!wanted.text || `op ${call.op} ${call.text} ${call.error ?? ""}`.toLowerCase()
      .includes(wanted.text));
}

function filter() {
  const wanted = Object.fromEntries(["process", "key", "kind", "outcome", "text"].map((name) =>
    [name, (field(name)?.value ?? "").trim().toLowerCase()]));
  for (const name of ["key", "kind"]) wanted[name] = field(name)?.value ?? "";
  const any = Object.values(wanted).some((value) => value !== "");
  calls.forEach((call) => { call.shown = !any || matches(call, wanted); });
  const found = any ? calls.filter((call) => call.shown) : [];
  document.getElementById("matches").replaceChildren(...(any ? [
    el("p", {}, `${found.length} of ${calls.length} operations match`),
    el("ol", {}, ...found.slice(0, MATCHES_MAX).map((call) => el("li", {}, opLink(call.op),
      ` ${at(call.start)} process ${call.process}: ${call.text}`))),
    found.length > MATCHES_MAX ? el("p", {}, `the first ${MATCHES_MAX} are listed`) : "",
  ] : []));
  refresh();
}

function offer(name, values) {
  const chosen = [...new Set(values)].filter((value) => value !== null).sort();
  field(name).append(...chosen.map((value) => el("option", { value }, value)));
  if (!chosen.length) field(name).parentElement.hidden = true;
}

// The pointer: an operation is found by its lane and time, whatever was drawn as one.
function pointed(event) {
  const box = svg.getBoundingClientRect(), times = layout.width / box.width;
  const left = (event.clientX - box.left) * times, top = (event.clientY - box.top) * times;
  const time = view.from + (left - GUTTER) / scale();
  const lane = layout.clients.find((each) => top >= each.top && top < each.top + each.height);
  if (!lane) return { time, call: null };
  const reach = 6 / scale();
  let best = null, least = Infinity;
  for (const call of lanesOfClients[lane.lane]) {
    const far = Math.max(call.start - time, time - call.end, 0) - (call.marks.length ? reach : 0);
    if (far <= reach && far < least) { best = call; least = far; }
  }
  return { time, call: best };
}

function clicked(event) {
  const drawn = event.target.closest("[data-op], [data-moment], [data-mark]");
  if (drawn?.dataset.mark !== undefined) return showMark(marks[drawn.dataset.mark]);
  const moment = drawn?.dataset.moment === undefined ? null : moments[drawn.dataset.moment];
  if (moment) return moment.op === null ? showMark({ ...moment, why: moment.what })
    : select(moment.op);
  const op = drawn && byOp.has(+drawn.dataset.op) ? +drawn.dataset.op : pointed(event).call?.op;
  return op === undefined ? undefined : select(op);
}

let held = null;
svg.addEventListener("pointerdown", (event) => {
  held = { x: event.clientX, from: view.from, to: view.to, moved: false };
});
window.addEventListener("pointermove", (event) => {
  if (!held) return;
  const pixels = event.clientX - held.x;
  if (Math.abs(pixels) > 3) held.moved = true;
  if (held.moved) look(held.from - pixels / scale(), held.to - pixels / scale());
});
window.addEventListener("pointerup", (event) => {
  const click = held && !held.moved && svg.contains(event.target);
  held = null;
  if (click) clicked(event);
});
svg.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;
  event.preventDefault();
  const turned = event.deltaY || event.deltaX;
  if (event.shiftKey) pan(Math.sign(turned) / 10);
  else zoom(turned > 0 ? 1.25 : 0.8, pointed(event).time);
}, { passive: false });

function leave() {
  view.selected = null;
  panel.replaceChildren(el("p", {}, "Select an operation."));
  refresh();
}

const KEYS = {
  n: () => step(1), p: () => step(-1), "+": () => zoom(0.5), "=": () => zoom(0.5),
  "-": () => zoom(2), ArrowLeft: () => pan(-0.25), ArrowRight: () => pan(0.25), 0: wholeRun,
  f: failure, "/": () => field("text").focus(),
  Escape: leave,
};
window.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select, textarea");
  if (typing && event.key === "Escape") event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});
document.querySelectorAll("button[data-key]").forEach((button) =>
  button.addEventListener("click", () => KEYS[button.dataset.key]()));
document.querySelectorAll("[data-moment]").forEach((item) => item.addEventListener("click", () => {
  const moment = moments[item.dataset.moment];
  if (moment.op === null) see(moment.time, moment.time);
  else select(moment.op);
}));
document.addEventListener("click", ({ target }) => {
  if (target.dataset?.copy === undefined) return;
  navigator.clipboard?.writeText(target.dataset.copy);
  if (!target.textContent.endsWith("✓")) target.append(" ✓");
});
document.getElementById("filters").addEventListener("input", filter);
document.querySelector(".plots")?.addEventListener("click", (event) => {
  const holder = event.currentTarget, box = holder.getBoundingClientRect();
  const { left, right } = holder.dataset;
  const part = ((event.clientX - box.left) / box.width - left) / (right - left);
  const half = (view.to - view.from) / 2;
  look(part * data.end - half, part * data.end + half);
});
function follow() {
  const named = /^#op-(\d+)$/.exec(location.hash);
  if (!named) return;
  select(+named[1]);
  document.getElementById("happened").scrollIntoView();
}
window.addEventListener("hashchange", follow);
window.addEventListener("resize", () => { layout = null; refresh(); });

offer("kind", calls.map((call) => call.f));
offer("key", calls.map((call) => call.key));
failure();
const main = moments.filter((moment) => moment.op !== null && byOp.has(moment.op)).at(-1);
if (main) select(main.op);
else if (marks.length) showMark(marks[0]);
failure();
redraw();
follow();
