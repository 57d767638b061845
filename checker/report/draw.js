// Draws the space-time diagram: time goes right, a lane for each client, host and device.  Only
// what lies in the view is drawn, and what would fall on the same pixel is drawn once, so that a
// view of everything costs no more than a view of little.

const GUTTER = 128, AXIS = 26, RAIL = 17, PIN = 24, RIGHT = 12;
const ARROWS_DRAWN_MAX = 900, TAIL = 20;
const STEADY = new Set(["log", "ack", "acknowledge", "replay", "output", "release", "complete",
  "disk-read", "disk-write", "drop", "stalled", "digest"]);
// What the roles and bands above a host's lane say already.
const TOLD_ABOVE = new Set(["boot", "backup", "spare", "restart", "crash", "fail-reads", "slow",
  "pause", "resume", "protected", "halt", "advertise"]);
const GLYPHS = { log: "entry", output: "made", release: "left", replay: "done", acknowledge: "ack",
  "disk-write": "disk", "disk-read": "disk", "test-and-set": "turn" };
const svg = document.getElementById("diagram");
const view = { from: 0, to: Math.max(1, data.end), selected: null, mark: null };
let layout = null;

const pen = document.createElement("canvas").getContext("2d");
const widths = new Map();
function wide(words) {
  if (!widths.has(words)) {
    pen.font = `700 11px ${getComputedStyle(svg).fontFamily}`;
    widths.set(words, pen.measureText(words).width);
  }
  return widths.get(words);
}

const escaped = (words) => String(words).replace(/[&<>"]/g, (sign) =>
  ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

function lay() {
  const width = Math.max(640, svg.parentElement.clientWidth);
  const lanes = [];
  let y = AXIS + RAIL * families.length + (moments.length ? PIN : 6);
  const add = (kind, name, height, node = -1, lane = -1) => {
    lanes.push({ kind, name, top: y, height, node, lane, middle: y + height / 2 });
    y += height;
  };
  const tall = data.clients > 100 ? 5 : data.clients > 40 ? 9 : data.clients > 15 ? 13 : 20;
  for (let lane = 0; lane < data.clients; lane++) add("client", clientName(lane), tall, -1, lane);
  for (let node = 0; node < data.hosts; node++) add("host", data.nodes[node], 58, node);
  if (data.hosts > 1) add("channel", "logging channel", 34);
  for (let node = data.hosts; node < data.nodes.length - 1; node++) {
    add("device", data.nodes[node], 32, node);
  }
  layout = { width, height: y + 8, lanes,
    ofNode: new Map(lanes.filter((lane) => lane.node >= 0).map((lane) => [lane.node, lane])),
    clients: lanes.filter((lane) => lane.kind === "client"),
    channel: lanes.find((lane) => lane.kind === "channel") };
}

function clientName(lane) {
  const ids = [...new Set(lanesOfClients[lane].map((call) => call.process))];
  if (data.known) return `client ${lane}`;
  const few = ids.length > 3 ? `${ids.slice(0, 2).join(", ")}, …` : ids.join(", ");
  return `process ${few}`;
}

const scale = () => (layout.width - GUTTER - RIGHT) / (view.to - view.from);
const x = (time) => GUTTER + (time - view.from) * scale();
const clamp = (pixel) => Math.min(layout.width - RIGHT, Math.max(GUTTER, pixel));
const inView = (start, end) => end >= view.from && start <= view.to;
const r = (value) => value.toFixed(1);
const rect = (kind, left, top, width, height, more = "") =>
  `<rect class="${kind}" x="${r(left)}" y="${r(top)}" width="${r(Math.max(0.5, width))}" ` +
  `height="${r(height)}" ${more}/>`;
const line = (kind, x1, y1, x2, y2, more = "") =>
  `<line class="${kind}" x1="${r(x1)}" y1="${r(y1)}" x2="${r(x2)}" y2="${r(y2)}" ${more}/>`;
const label = (kind, left, top, words, more = "") =>
  `<text class="${kind}" x="${r(left)}" y="${r(top)}" ${more}>${escaped(words)}</text>`;

// Index of the first item of a sorted list that does not lie before a time.
function firstAt(items, time, key) {
  let low = 0, high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle][key] < time) low = middle + 1; else high = middle;
  }
  return low;
}

function drawAxis() {
  const wanted = (view.to - view.from) / 8;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, wanted)));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= wanted);
  const before = (step > SECOND ? SINCE_S % (step / SECOND) * SECOND : 0) + SINCE_NS;
  const parts = [];
  for (let time = Math.ceil((view.from + before) / step) * step - before; time <= view.to;
    time += step) {
    if (time + before < 0) continue;
    const words = tickWords(time, step), half = wide(words) / 2;
    const middle = Math.min(layout.width - half, Math.max(GUTTER - 10 + half, x(time)));
    parts.push(line("grid", x(time), AXIS - 6, x(time), layout.height),
      label("tick", middle, AXIS - 10, words, 'text-anchor="middle"'));
  }
  return parts.join("");
}

function tickWords(time, step) {
  if (data.clock === "position") return `${time}`;
  const digits = Math.max(0, 9 - Math.floor(Math.log10(step)));
  return at(time, Math.min(9, digits));
}

function drawBands() {
  const ends = families.map(() => -Infinity);
  const names = [];
  const drawn = bands.filter((band) => inView(band.start, band.end)).map((band) => {
    const family = families.indexOf(band.family), top = AXIS + RAIL * family;
    const left = clamp(x(band.start)), right = clamp(x(band.end));
    const words = `${band.what}${band.endless ? " (not healed)" : ""}`;
    const style = `band f${family % 5}`;
    const head = rect(`${style} head`, left, top, Math.max(3, right - left), RAIL - 3);
    const behind = band.start === band.end ? line(`${style} at`, left, top, left, layout.height)
      : rect(style, left, top + RAIL, right - left, layout.height - top - RAIL);
    const fits = left > ends[family];
    if (fits) {
      ends[family] = left + 9 + wide(words);
      names.push(label("fault-name", left + 4, top + RAIL - 6, words));
    }
    return `<g class="fault" data-op="${band.op}"><title>${escaped(`${band.family}: ${words}, ` +
      `${at(band.start)} to ${at(band.end)}`)}</title>${behind}${head}</g>`;
  });
  return drawn.join("") + names.join("");
}

function drawLanes() {
  return layout.lanes.map((lane) => {
    const named = lane.lane < 0 || lane.lane % Math.ceil(12 / lane.height) === 0;
    return rect(`lane ${lane.kind}`, 0, lane.top, layout.width, lane.height) +
      (named ? label("lane-name", 8, lane.middle + 4, lane.name) : "");
  }).join("");
}

function drawRoles() {
  return roles.filter((role) => inView(role.start, role.end)).map((role) => {
    const lane = layout.ofNode.get(role.node), left = clamp(x(role.start));
    const width = clamp(x(role.end)) - left;
    const fits = width > wide(role.role) + 8;
    return `<g><title>${escaped(`${lane.name} is ${role.role}, ${at(role.start)} to ` +
      `${at(role.end)}`)}</title>` +
      rect(`role is-${role.role}`, left, lane.top + 2, width, 15) +
      (fits ? label("role-name", left + 5, lane.top + 13, role.role) : "") + "</g>";
  }).join("");
}

function drawLeftOut() {
  const over = (stretches, lanes) => stretches.filter(([from, to]) => inView(from, to))
    .map(([from, to]) => lanes.map((lane) => rect("left-out", clamp(x(from)), lane.top + 2,
      clamp(x(to)) - clamp(x(from)), lane.height - 4, 'fill="url(#gap)"')).join("")).join("");
  return over(data.gaps.events, layout.lanes.filter((lane) => lane.kind !== "client")) +
    over(data.gaps.calls, layout.clients);
}

// Calls: all of a kind in one path, since thousands of elements take a browser longer than all
// the rest.  Those that are marked or selected are drawn by themselves, and last.
function drawCalls() {
  const plain = [], special = [], boxes = new Map();
  layout.clients.forEach((lane) => {
    const inLane = lanesOfClients[lane.lane];
    let run = null;
    const flush = () => { if (run) plain.push(callBox(run, lane, boxes)); };
    for (let number = Math.max(0, firstAt(inLane, view.from, "start") - 1);
      number < inLane.length && inLane[number].start <= view.to; number++) {
      const call = inLane[number];
      const end = Math.min(call.end, data.end);
      if (end < view.from) continue;
      if (call.marks.length || call === view.selected) { special.push([call, lane]); continue; }
      const left = clamp(x(call.start)), right = Math.max(left + 1.5, clamp(x(end)));
      const alike = run && run.outcome === call.outcome && run.shown === call.shown;
      if (alike && left - run.right < 0.8) {
        run.right = Math.max(run.right, right);
        run.op = null;
      } else {
        flush();
        run = { ...call, left, right };
      }
    }
    flush();
  });
  const paths = [...boxes].map(([style, shapes]) =>
    `<path class="${style}" d="${shapes.join("")}"/>`);
  return [...paths, ...plain, ...special.map(([call, lane]) => specialBox(call, lane))].join("");
}

// Adds the box of a call, or of several that fall together, to those of its kind; its words.
function callBox(call, lane, boxes) {
  const { left, right } = call, style = `call ${call.outcome}${call.shown ? "" : " dim"}`;
  const height = lane.height - (lane.height > 12 ? 8 : 3), width = r(Math.max(0.5, right - left));
  if (!boxes.has(style)) boxes.set(style, []);
  boxes.get(style).push(
    `M${r(left)} ${r(lane.middle - height / 2)}h${width}v${r(height)}h-${width}z`);
  const room = right - left - 6;
  const words = call.op !== null && lane.height > 12 && room > wide(call.text)
    ? label("call-name", left + 4, lane.middle + 4, call.text) : "";
  return words + (call.op === null ? "" : tail(call, lane, TAIL));
}

// What nobody knows the end of may still happen: a tail behind its timeout.
function tail(call, lane, length) {
  if (call.outcome !== "info" || call.end === NEVER || call.end > view.to) return "";
  const left = clamp(x(call.end)), right = Math.min(layout.width - RIGHT, left + length);
  const style = `tail${call.shown ? "" : " dim"}`, y = lane.middle;
  return `<g class="${style}">${line("", left, y, right, y)}` +
    `<path d="M${r(right)} ${r(y)} l-5 -4 v8 z"/></g>`;
}

function specialBox(call, lane) {
  const left = clamp(x(call.start));
  const right = Math.max(left + 4, clamp(x(Math.min(call.end, data.end))));
  const bad = call.marks.length > 0, main = bad && moments.some((each) => each.op === call.op);
  const style = `call ${call.outcome}${bad ? " bad" : ""}${main ? " main" : ""}` +
    `${call === view.selected ? " selected" : ""}`;
  const box = rect(style, left, lane.top + 2, right - left, lane.height - 4,
    `data-op="${call.op}"`);
  const drawn = tail(call, lane, layout.width) + box;
  if (!main && call !== view.selected) return drawn;
  const short = `${bad ? `${SIGN} ` : ""}op ${call.op}`, whole = `${short}: ${call.text}`;
  const [words, start] = [whole, short].map((each) => [each, flagAt(each, left, right, lane)])
    .find(([, free]) => free !== null) ?? [short, left];
  lane.flags.push([start, start + wide(words) + 8]);
  layout.flags.push(`<g class="flag${bad ? " bad" : ""}" data-op="${call.op}">` +
    rect("flag-back", start, lane.middle - 8, wide(words) + 8, 16) +
    label("flag-words", start + 4, lane.middle + 4, words) + "</g>");
  return drawn;
}

// Where a flag covers no other one of its lane: in its call, behind it, before it; or null.
function flagAt(words, left, right, lane) {
  const length = wide(words) + 8, inside = right - left > length + 8;
  return [...(inside ? [left + 4] : []), right + 3, left - length - 3, left + 4].find((start) =>
    start >= GUTTER && start + length <= layout.width - RIGHT &&
    lane.flags.every(([from, to]) => start > to || start + length < from)) ?? null;
}

// Messages.
function drawArrows() {
  const seen = arrows.filter((arrow) => inView(arrow.start, arrow.end ?? arrow.start));
  const about = (arrow) => arrow.op !== null &&
    (arrow.op === view.selected?.op || moments.some((moment) => moment.op === arrow.op));
  const all = seen.length <= ARROWS_DRAWN_MAX;
  const drawn = all ? seen : seen.filter((arrow) => arrow.kind === "lost" || about(arrow));
  layout.hidden = seen.length - drawn.length;
  const taken = new Set();
  return drawn.map((arrow) => {
    const spot = `${arrow.kind} ${arrow.source} ${arrow.to} ${Math.round(x(arrow.start) / 2)}`;
    if (arrow.end === null && taken.has(spot)) return "";
    taken.add(spot);
    return arrow.end === null ? stub(arrow) : wholeArrow(arrow, about(arrow));
  }).join("");
}

function place(node, op) {
  if (node >= 0 && layout.ofNode.has(node)) return layout.ofNode.get(node).middle + 8;
  const call = byOp.get(op);
  return call ? layout.clients[call.lane].middle : layout.clients.at(-1)?.middle ?? AXIS;
}

function wholeArrow(arrow, about) {
  const x1 = x(arrow.start), x2 = x(arrow.end);
  const y1 = place(arrow.source, arrow.op), y2 = place(arrow.to, arrow.op);
  return `<g class="arrow ${arrow.kind}${about ? " about" : ""}"><title>${escaped(arrow.kind)} ` +
    `${escaped(arrow.what)}: ${at(arrow.start)}, ${span(arrow.end - arrow.start)} on its way` +
    `</title>${line("", x1, y1, x2, y2, `marker-end="url(#${about ? "tip-about" : "tip"})"`)}</g>`;
}

function stub(arrow) {
  const x1 = x(arrow.start), y1 = place(arrow.source, arrow.op), y2 = place(arrow.to, arrow.op);
  const down = y2 >= y1 ? 1 : -1, x2 = x1 + 7, end = y1 + down * 15;
  return `<g class="arrow stub ${arrow.kind}"><title>${escaped(`not received: ${arrow.what}, ` +
    `${at(arrow.start)}`)}</title>${line("", x1, y1, x2, end)}` +
    `${cross(x2, end, 3)}</g>`;
}

const cross = (left, top, size) => line("", left - size, top - size, left + size, top + size) +
  line("", left - size, top + size, left + size, top - size);

// What machines did: small signs for the routine, words for the turns.
function drawEvents() {
  const parts = [], turns = [], taken = new Set();
  for (let number = firstAt(events, view.from, "time");
    number < events.length && events[number].time <= view.to; number++) {
    const event = events[number], lane = layout.ofNode.get(event.node);
    if (!lane) continue;
    if (!STEADY.has(event.kind)) { turns.push([event, lane]); continue; }
    const sign = GLYPHS[event.kind];
    const spot = `${sign} ${event.node} ${Math.round(x(event.time))}`;
    if (sign === undefined || taken.has(spot)) continue;
    taken.add(spot);
    parts.push(glyph(sign, x(event.time), lane, event));
  }
  return parts.join("") + drawTurns(turns);
}

function glyph(sign, left, lane, event) {
  const y = lane.middle + 8, kind = `sign ${sign}`;
  if (sign === "entry") return line(kind, left, y - 5, left, y + 5);
  if (sign === "done") return line(kind, left, y + 8, left, y + 13);
  if (sign === "ack") return line(kind, left, y - 9, left, y - 5);
  if (sign === "disk") return rect(kind, left - 2, lane.middle + 3, 4, 10);
  const { acknowledged, seq, alone } = sign === "left" ? event.said : {};
  const early = acknowledged !== undefined && acknowledged < seq && !alone;
  return `<circle class="${kind}${early ? " early" : ""}" cx="${r(left)}" cy="${r(y)}" r="3"/>`;
}

function drawTurns(turns) {
  const ends = new Map();
  return turns.map(([event, lane]) => {
    const left = x(event.time);
    const words = lane.kind === "host" && TOLD_ABOVE.has(event.kind) ? "" : turnWords(event);
    const free = (ends.get(lane) ?? [-Infinity, -Infinity]);
    const length = wide(words) + 10, flip = left + length > layout.width;
    const begin = flip ? left - length : left;
    const row = words ? free.findIndex((end) => begin > end) : -1;
    if (row >= 0) { free[row] = begin + length; ends.set(lane, free); }
    const y = lane.top + (lane.kind === "host" ? 29 + 17 * row : 12 + 14 * row);
    return `<g class="turn ${event.kind}"><title>${escaped(`${at(event.time)} ` +
      `${data.nodes[event.node]} ${words}`)}</title>` +
      line("turn-at", left, lane.top, left, lane.top + lane.height) +
      (row < 0 ? "" : label("turn-name", left + (flip ? -4 : 4), y, words,
        flip ? 'text-anchor="end"' : "")) + "</g>";
  }).join("");
}

function turnWords({ kind, said }) {
  const more = { suspect: said.peer && ` ${said.peer}`, live: ` (generation ${said.generation})`,
    "test-and-set": `: ${said.winner}`, place: `: ${said.host || "nobody"}`,
    clone: ` to ${said.to}`,
    slow: ` ${said.times}x`, share: ` ${said.percent} %`, refused: ` ${said.first}-${said.last}` };
  return kind + (more[kind] ?? "");
}

// The logging channel: an entry is on its way from its logging until it is acknowledged.
function drawChannel() {
  if (!layout.channel) return "";
  const { top, height } = layout.channel, parts = [], taken = new Set();
  arrows.forEach((arrow) => {
    const lost = arrow.kind === "lost" && arrow.what.startsWith("Log ");
    if (arrow.kind !== "log" && !lost || !inView(arrow.start, arrow.end ?? arrow.start)) return;
    const left = clamp(x(arrow.start)), spot = `${lost} ${Math.round(left)}`;
    if (taken.has(spot)) return;
    taken.add(spot);
    const title = `<title>${escaped(lost ? `lost: ${arrow.what}` : `entries up to ${arrow.what}, `
      + `${span(arrow.end - arrow.start)} on their way`)}</title>`;
    parts.push(lost ? `<g class="gone">${title}${cross(left, top + 24, 3.5)}</g>`
      : `<g class="sent">${title}${rect("", left, top + 6, Math.max(1, clamp(x(arrow.end)) - left),
        8)}</g>`);
  });
  return parts.join("");
}

// The numbered steps of the failure, through all lanes.
function drawMoments() {
  const y = AXIS + RAIL * families.length + 10;
  const shown = moments.filter((moment) => inView(moment.time, moment.time)).length;
  let last = -Infinity, rest = shown;
  return moments.map((moment, number) => {
    if (!inView(moment.time, moment.time)) return "";
    rest -= 1;
    const left = x(moment.time);
    const pin = Math.max(last + 19, Math.min(left, layout.width - RIGHT - 19 * rest));
    last = pin;
    return `<g class="moment ${moment.kind}" data-moment="${number}"><title>` +
      `${escaped(`${at(moment.time)} ${moment.what}`)}</title>` +
      line("thread", left, y + 9, left, layout.height) + line("thread", pin, y, left, y + 9) +
      `<circle cx="${r(pin)}" cy="${y}" r="8.5"/>` +
      label("", pin, y + 4, number + 1, 'text-anchor="middle"') + "</g>";
  }).join("");
}

// What a checker objects to on a machine.
function drawMarks() {
  const taken = new Set();
  return marks.map((mark) => {
    const lane = layout.ofNode.get(mark.node);
    const spot = `${mark.node} ${Math.round(x(mark.time) / 12)}`;
    if (!lane || !inView(mark.time, mark.time) || taken.has(spot)) return "";
    taken.add(spot);
    return `<g class="objection" data-mark="${mark.number}"><title>${escaped(`${at(mark.time)} ` +
      `${mark.why}`)}</title>${label("", x(mark.time), lane.middle + 13, SIGN,
      'text-anchor="middle"')}</g>`;
  }).join("");
}

const DEFS = `<defs>
  <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6"
    orient="auto-start-reverse"><path class="tip" d="M0 1 L8 4 L0 7 z"/></marker>
  <marker id="tip-about" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6"
    orient="auto-start-reverse"><path class="tip about" d="M0 1 L8 4 L0 7 z"/></marker>
  <pattern id="gap" width="6" height="6" patternUnits="userSpaceOnUse"
    patternTransform="rotate(45)"><line class="gap" x1="0" y1="0" x2="0" y2="6"/></pattern>
  <clipPath id="plot"><rect id="plot-area" x="${GUTTER}" y="0" width="10" height="10"/></clipPath>
  </defs>`;

function draw() {
  if (!layout) lay();
  layout.flags = [];
  layout.clients.forEach((lane) => { lane.flags = []; });
  const inside = [drawAxis(), drawBands(), drawRoles(), drawLeftOut(), drawChannel(), drawArrows(),
    drawEvents(), drawMoments(), drawCalls(), drawMarks()].join("") + layout.flags.join("");
  svg.setAttribute("viewBox", `0 0 ${layout.width} ${layout.height}`);
  svg.setAttribute("height", layout.height);
  svg.innerHTML = `${DEFS}${drawLanes()}<g clip-path="url(#plot)">${inside}</g>`;
  const area = svg.querySelector("#plot-area");
  area.setAttribute("x", GUTTER - 10);
  area.setAttribute("width", layout.width - GUTTER + 10);
  area.setAttribute("height", layout.height);
}
