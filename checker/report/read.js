// Reads the page's data: columns become calls, shapes become events.  The layout of each row is
// told where it is made, in data.py and lives.py.

const data = JSON.parse(document.getElementById("data").textContent);
const NEVER = Infinity;
const SIGN = data.valid === null ? "?" : "✗";      // of what is marked
const text = (number) => data.strings[number];
const orNothing = (number) => (number < 0 ? null : text(number));

function readCalls() {
  const [ops, completions, processes, lanes, fs, texts, starts, spans, outcomes, keys, errors] =
    data.calls;
  let op = 0, start = 0;
  return ops.map((step, at) => {
    op += step;
    start += starts[at];
    const open = completions[at] < 0;
    return {
      op, start, end: open ? NEVER : start + spans[at], at,
      completion: open ? null : op + completions[at],
      process: processes[at], lane: lanes[at], f: text(fs[at]), text: text(texts[at]),
      outcome: ["ok", "fail", "info"][outcomes[at]], key: orNothing(keys[at]),
      error: orNothing(errors[at]), marks: [], shown: true,
    };
  });
}

// What an event says is read when somebody looks at it: few are, of tens of thousands.
class Event {
  constructor(row, time) {
    this.row = row;
    this.kind = data.events.shapes[row[0]][0];
    this.node = row[1];
    this.time = time;
  }

  get said() {
    const [, texts, ...names] = data.events.shapes[this.row[0]];
    return Object.fromEntries(names.map((name, at) => {
      const value = this.row[at + 3];
      return [name, (texts >> at) & 1 ? text(value) : Array.isArray(value) ? value[0] : value];
    }));
  }
}

function readEvents() {
  let time = 0;
  return data.events.rows.map((row) => {
    time += row[2];
    return new Event(row, time);
  });
}

function readArrows() {
  let start = 0;
  return data.arrows.map(([kind, since, source, span, to, op, what]) => {
    start += since;
    return { kind: text(kind), start, source, to, what: text(what),
      end: span < 0 ? null : start + span, op: op < 0 ? null : op };
  });
}

const calls = readCalls();
const events = readEvents();
const arrows = readArrows();
const roles = data.roles.map(([node, start, end, role]) => ({
  node, start, end: end ?? data.end, role: text(role) }));
const bands = data.bands.map(([start, end, family, _f, what, places, op]) => ({
  start, end: end ?? data.end, endless: end === null, family, what, places, op }));
const families = [...new Set(bands.map((band) => band.family))];
// By either of a call's ops: texts name completions, too.
const byOp = new Map(calls.flatMap((call) => [[call.op, call], [call.completion, call]]));
byOp.delete(null);
const marks = data.marks.map(([time, op, node, check, why], number) => ({
  time, op, node: node === null ? -1 : data.nodes.indexOf(node), check, why, number }));
const moments = data.moments.map(([time, what, op, node, kind]) => ({
  time, what, op, node: node === null ? -1 : data.nodes.indexOf(node), kind }));
marks.forEach((mark) => byOp.get(mark.op)?.marks.push(mark));
calls.forEach((call) => { call.life = data.lives[call.at]; });

// The machines that got to an instruction, by generation and instruction.
const standing = new Map(data.registers.rows.map(([generation, position, ...sides]) =>
  [`${generation} ${position}`, sides.map(([node, time, words]) => ({ node, time,
    values: (words || sides[0][2]).split(" ").map((word) => `0x${word}`) }))]));

const lanesOfClients = Array.from({ length: data.clients }, () => []);
calls.forEach((call) => lanesOfClients[call.lane].push(call));

// Words for moments and stretches of time.
const SECOND = 1e9;
const [SINCE_S, SINCE_NS] = data.since;
function at(time, digits = 6) {
  if (data.clock === "position") return `position ${time}`;
  const ns = time + SINCE_NS, fraction = String(ns % SECOND).padStart(9, "0").slice(0, digits);
  return `${SINCE_S + Math.floor(ns / SECOND)}${digits ? "." : ""}${fraction} s`;
}
function span(ns) {
  if (ns === NEVER) return "never answered";
  if (data.clock === "position") return `${ns} position${ns === 1 ? "" : "s"}`;
  const size = Math.abs(ns);
  if (size < 1e3) return `${ns} ns`;
  if (size < 1e6) return `${(ns / 1e3).toFixed(1)} µs`;
  return size < SECOND ? `${(ns / 1e6).toFixed(3)} ms` : `${(ns / SECOND).toFixed(3)} s`;
}

// The guest function that a program counter lies in, with the offset.
function guestFunction(pc) {
  if (pc === null || pc === undefined) return "";
  let found = null;
  for (const [address, name] of data.symbols) if (address <= pc) found = [address, name];
  const hex = `0x${pc.toString(16)}`;
  return found === null ? hex : `${found[1]}+0x${(pc - found[0]).toString(16)} (${hex})`;
}
