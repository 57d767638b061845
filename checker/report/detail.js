// What is told of one operation, or of one marked moment, beside the diagram.

const panel = document.getElementById("detail");
const PLACES = 15;      // of a life's row, before its releases
const NEARBY_MAX = 30;

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

const opLink = (op, words) => el("a", { href: `#op-${op}` }, words ?? `op ${op}`);

function facts(pairs) {
  const list = el("dl");
  for (const [name, value] of pairs) {
    if (value !== null && value !== "") list.append(el("dt", {}, name), el("dd", {}, value));
  }
  return list;
}

function table(heads, rows) {
  const body = rows.map((row) => el("tr", { class: row.bad ? "bad" : "" },
    ...row.cells.map((cell) => el("td", {}, cell ?? ""))));
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {},
    ...heads.map((head) => el("th", {}, head)))), el("tbody", {}, ...body)));
}

const commandLine = (words) => el("span", { class: "command" }, el("code", {}, words), " ",
  el("button", { type: "button", "data-copy": words }, "copy"));

const entryOf = (seq) => (seq === null || seq === 0 ? "not logged" : `entry ${seq}`);
const instruction = (position) => (position === null ? "" : `instruction ${position}`);

// One life of a request as rows: when, where, what, entry, instruction, guest function.
function lifeRows(call, life) {
  const [generation, inNode, inTime, inSeq, inAt, inPc, outNode, outTime, outSeq, outAt, outPc,
    number, heardNode, heardTime, doneTime] = life;
  const rows = [];
  const add = (time, node, what, seq = null, position = null, pc = null, bad = false) =>
    rows.push({ time, bad, cells: [`+${span(time)}`, node === null ? "" : data.nodes[node], what,
      seq === null ? "" : entryOf(seq), instruction(position), guestFunction(pc)] });
  if (inTime !== null) {
    add(inTime, inNode, "request logged, and handed to the guest", inSeq, inAt, inPc);
  }
  if (outTime !== null) {
    add(outTime, outNode, `guest answered: output ${number}, held`, outSeq, outAt, outPc);
  }
  const alone = heardTime === null;
  if (!alone) {
    add(heardTime, heardNode, `acknowledged the answer's entry`, outSeq);
    if (doneTime !== null) {
      add(doneTime, heardNode, "executed it too, at the same instruction", outSeq, outAt, outPc);
    }
  } else if (outTime !== null) {
    rows.push({ time: NEVER, bad: false, cells: ["never", "", "no other machine acknowledged the "
      + "answer's entry", entryOf(outSeq), "", ""] });
  }
  for (let place = PLACES; place < life.length; place += 3) {
    const [node, time, again] = life.slice(place, place + 3);
    const early = !alone && time < heardTime;
    add(time, node, `${again ? "answer let out again: a duplicate" : "answer let out"}` +
      `${early ? ", before its entry was acknowledged" : ""}`, null, null, null, early);
  }
  return { generation, rows: rows.sort((one, other) => one.time - other.time) };
}

function lifeOf(call) {
  if (!call.life.length) return [el("p", {}, "The trace tells nothing of this request.")];
  const heads = ["after", "machine", "what", "log entry", "on both machines at", "guest function"];
  return call.life.flatMap((life) => {
    const { generation, rows } = lifeRows(call, life);
    return [el("h4", {}, `On the machines, generation ${generation}`), table(heads, rows),
      ...registersOf(life)];
  });
}

// What the machines had in their registers where a request was handed over, and was answered.
function registersOf(life) {
  const [generation, , , , into, , , , , out] = life;
  return [[into, "when the request was handed over"], [out, "when the guest answered"]]
    .filter(([position]) => position !== null)
    .map(([position, when]) => registersAt(generation, position, when));
}

function registersAt(generation, position, when) {
  const sides = standing.get(`${generation} ${position}`) ?? [];
  const where = `Registers at instruction ${position}, ${when}`;
  const command = data.step && commandLine(`${data.step} ${position}`);
  if (!sides.length) {
    return command ? el("p", { class: "there" }, `${where}: `, command) : null;
  }
  const [first, ...others] = sides, who = sides.map((side) => data.nodes[side.node]).join(" and ");
  const differ = data.registers.names.filter((_, number) =>
    others.some((side) => side.values[number] !== first.values[number]));
  const said = !others.length ? `only ${who} got there`
    : differ.length ? `${who} differ in ${differ.join(", ")}` : `the same on ${who}`;
  const cells = data.registers.names.map((name, number) => (differ.includes(name)
    ? el("li", { class: "bad" }, el("span", {}, name),
      sides.map((side) => `${data.nodes[side.node]} ${side.values[number]}`).join(", "))
    : el("li", {}, el("span", {}, name), first.values[number])));
  return el("details", { class: "there", open: "" }, el("summary",
    differ.length ? { class: "bad" } : {}, `${where}: ${said}`),
  el("ul", { class: "registers" }, ...cells), command);
}

const eventsIn = (from, to) => events.slice(firstAt(events, from, "time"),
  firstAt(events, to + 1, "time"));

// Log entries between the request and its answer, where the page holds them.
function entriesOf(call) {
  const rows = call.life.flatMap(([generation, , , inSeq, , , node, outTime, outSeq]) =>
    inSeq === null || outSeq === null ? [] : eventsIn(call.start, call.start + outTime)
      .filter(({ kind, said, node: where }) => kind === "log" && where === node &&
        said.generation === generation &&
        said.seq >= inSeq && said.seq <= outSeq).slice(0, NEARBY_MAX));
  if (!rows.length) return null;
  return el("details", {}, el("summary", {}, `${rows.length} log entries from request to answer`),
    table(["at", "entry", "type", "instruction", "guest function", "says"], rows.map((event) => ({
      cells: [at(event.time), `${event.said.seq}`, event.said.entry, `${event.said.at}`,
        guestFunction(event.said.pc), saidBy(event, TOLD)] }))));
}

const TOLD = ["seq", "entry", "at", "pc", "generation"];
const saidBy = ({ said }, without = []) => Object.entries(said)
  .filter(([name]) => !without.includes(name))
  .map(([name, value]) => `${name} ${value}`).join(", ");

function around(from, to) {
  const near = eventsIn(from, to).filter(({ kind }) => !STEADY.has(kind)).slice(0, NEARBY_MAX);
  if (!near.length) return null;
  return el("details", {}, el("summary", {}, `${near.length} turns of the machines nearby`),
    table(["at", "node", "what", "says"], near.map((event) => ({
      cells: [at(event.time), data.nodes[event.node], event.kind, saidBy(event)] }))));
}

function concurrent(call) {
  const others = calls.filter((other) => other !== call && other.start <= call.end &&
    other.end >= call.start);
  if (!others.length) return null;
  const shown = others.slice(0, NEARBY_MAX);
  return el("details", {}, el("summary", {}, `${others.length} operations were open meanwhile`),
    el("ul", {}, ...shown.map((other) => el("li", {}, opLink(other.op), `, process ` +
      `${other.process}: ${other.text}`))),
    others.length > shown.length ? el("p", {}, `and ${others.length - shown.length} more`) : null);
}

function showCall(call) {
  const faultsThen = bands.filter((band) => band.start <= call.end && band.end >= call.start);
  const heard = { ok: "answered", fail: "certainly did not happen", info: "nobody knows: it may "
    + "have happened at any time since, or never" }[call.outcome];
  panel.replaceChildren(
    el("h3", {}, `op ${call.op}: ${call.text}`),
    ...call.marks.map((mark) => el("p", { class: "bad" }, `${SIGN} ${mark.why}`)),
    facts([
      ["process", `${call.process}`], ["key", call.key],
      ["outcome", `${call.outcome}: ${heard}`], ["error", call.error],
      ["invoked", at(call.start)],
      ["completed", call.end === NEVER ? "never" : `${at(call.end)} (op ${call.completion}), ` +
        `after ${span(call.end - call.start)}`],
      ["faults then", faultsThen.map((band) => band.what).join("; ")],
    ]),
    ...(data.hosts ? lifeOf(call) : []),
    ...[entriesOf(call), around(call.start - SLACK, Math.min(call.end, data.end) + SLACK),
      concurrent(call)].filter((part) => part !== null));
}
const SLACK = 2_000_000;

// What a machine did at a marked moment: its events, the operation, and its registers there.
function exactly({ time, node }) {
  const here = eventsIn(time, time).filter((event) => event.node === node);
  if (!here.length) return [];
  const ops = [...new Set(here.map(({ said }) => said.request))].filter((op) => byOp.has(op));
  const places = new Map(here.filter(({ kind }) => kind !== "replay").flatMap(({ said }) => [
    [said.at, "at that moment"], [said.expected_at, "where it should have been"],
    [said.found_at, "where it noticed"]]).filter(([position]) => position !== undefined));
  return [
    table(["it said", ""], here.map((event) => ({
      cells: [event.kind, saidBy(event, ["pc", "registers"])] }))),
    ops.length ? el("p", {}, "It is about ", ...ops.map((op) => opLink(op)), ".") : null,
    ...[...places].map(([position, when]) =>
      registersAt(here[0].said.generation ?? generationAt(position), position, when))];
}

const generationAt = (position) => [...standing.keys()].map((key) => key.split(" "))
  .find(([, each]) => +each === position)?.[0];

function showMark(mark) {
  panel.replaceChildren(...[el("h3", {}, `${at(mark.time)}${mark.node < 0 ? "" : ` on ` +
    `${data.nodes[mark.node]}`}`), el("p", { class: "bad" }, `${SIGN} ${mark.why}`),
  ...exactly(mark), around(mark.time - 50 * SLACK, mark.time + 50 * SLACK),
  ].filter((part) => part !== null));
}
