// A turn as it ran and, below on the same scale, as it could have run.

const PACKED_ABOVE = 60;
const LEFT_MOST = 240;
const NOTE = 62;
const TICK = 90;
const PACKED_HEIGHT = 240;
const COULD = "As it could have run";
const pen = document.createElement("canvas").getContext("2d");

// The number of the finding, from 1, that each call belongs to.
function marks(turn) {
  const found = new Map();
  turn.findings.forEach((finding, at) => finding.calls.forEach((call) => found.has(call) || found.set(call, at + 1)));
  return found;
}

const hue = (number) => `f${((number - 1) % 6) + 1}`;
const isOwn = (call) => call[3] < 0;

// Each call with its depth, before the calls made inside it, otherwise in order of start.
function nested(turn) {
  const inside = new Map();
  turn.calls.forEach(([, , , around], at) => (inside.has(around) ? inside.get(around).push(at) : inside.set(around, [at])));
  const order = [];
  const waiting = (inside.get(-1) || []).map((at) => [at, 0]).reverse();
  while (waiting.length) {
    const [at, depth] = waiting.pop();
    order.push([at, depth]);
    waiting.push(...(inside.get(at) || []).map((inner) => [inner, depth + 1]).reverse());
  }
  return order;
}

// Rows of bars: one for each call, or packed: the calls of one tool on as many lanes as overlap.
function rowsOf(turn, times, packed) {
  if (!packed)
    return nested(turn).map(([at, depth]) => ({
      label: say(turn.calls[at][0]),
      depth: Math.min(depth, 4),
      calls: [at],
      lanes: 1,
      lane: new Map([[at, 0]]),
      note: times[at][1],
    }));
  const groups = new Map();
  turn.calls.forEach((call, at) => {
    const key = `${isOwn(call) ? 0 : 1} ${call[0]}`;
    if (!groups.has(key)) groups.set(key, { label: say(call[0]), depth: isOwn(call) ? 0 : 1, calls: [], note: 0 });
    groups.get(key).calls.push(at);
  });
  for (const group of groups.values()) {
    const free = [];
    group.lane = new Map();
    for (const at of [...group.calls].sort((a, b) => times[a][0] - times[b][0] || a - b)) {
      const [start, duration] = times[at];
      let lane = free.findIndex((from) => from <= start);
      if (lane < 0) lane = free.length;
      free[lane] = start + duration;
      group.lane.set(at, lane);
      group.note += duration;
    }
    group.lanes = free.length;
  }
  return [...groups.values()].sort((a, b) => a.depth - b.depth || a.calls[0] - b.calls[0]);
}

// The text without its middle if it is too wide: the start and the end distinguish names best.
function cut(text, width) {
  if (pen.measureText(text).width <= width) return text;
  const characters = [...text];
  for (let left = characters.length - 1; left > 0; left--) {
    const tail = left >> 1;
    const short = `${characters.slice(0, left - tail).join("")}…${tail ? characters.slice(-tail).join("") : ""}`;
    if (pen.measureText(short).width <= width) return short;
  }
  return "…";
}

function niceStep(length, most) {
  const least = length / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(least || 1));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least);
}

function tickLabel(us, step) {
  return step < 1e4 ? `${+(us / 1e3).toFixed(3)} ms` : `${+(us / 1e6).toFixed(step < 1e5 ? 2 : step < 1e6 ? 1 : 0)} s`;
}

class Timeline {
  constructor(turn, width, packed) {
    Object.assign(this, { turn, width, packed, found: marks(turn), length: turn.length || 1, y: 0 });
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const real = turn.calls.map(([, start, duration]) => [start, duration]);
    this.real = { name: "real", times: real, rows: rowsOf(turn, real, packed), height: 20, bar: 12 };
    if (turn.planned.length)
      this.plan = { name: "plan", times: turn.planned, rows: rowsOf(turn, turn.planned, packed), height: 16, bar: 9 };
    const label = (row) => pen.measureText(this.labelOf(row)).width + row.depth * 12;
    this.badges = turn.findings.length ? 22 : 0;
    const widest = Math.max(48, ...this.real.rows.map(label)) + this.badges;
    pen.font = `600 ${pen.font}`;
    const heading = this.plan ? pen.measureText(COULD).width : 0;
    pen.font = pen.font.replace(/^600 /, "");
    this.left = Math.ceil(Math.max(heading, Math.min(widest, LEFT_MOST + this.badges, width * 0.34)) + 12);
    this.right = width - NOTE;
    this.bars = [];
  }

  labelOf(row) {
    return row.label + (this.packed && row.calls.length > 1 ? ` ×${row.calls.length}` : "");
  }

  x(us) {
    return this.left + (us / this.length) * (this.right - this.left);
  }

  draw() {
    this.back = s("g", {});
    this.front = s("g", {});
    this.y = 22;
    const top = this.y;
    this.heading("As it ran", this.end(this.real.times));
    this.steps();
    this.section(this.real);
    if (this.plan) {
      this.y += 10;
      this.back.append(s("line", { class: "rule", x1: 0, x2: this.width, y1: this.y, y2: this.y }));
      this.y += 4;
      const from = this.y;
      this.heading(COULD, this.end(this.plan.times));
      this.section(this.plan);
      this.saved(from, this.y);
    }
    this.axis(top, this.y);
    const height = this.y + 4;
    if (this.bars[0]) this.bars[0].setAttribute("tabindex", "0");
    const view = s(
      "svg",
      { class: "timeline", width: this.width, height, viewBox: `0 0 ${this.width} ${height}`, role: "group", "aria-label": this.told() },
      s("defs", {}, s("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, s("rect", { width: 2, height: 6 }))),
      s("rect", { class: "plot", x: this.left, y: top, width: this.right - this.left, height: this.y - top }),
      this.back,
      this.front,
    );
    roving(view, "g[role=img]");
    return view;
  }

  told() {
    const plan = this.plan ? `, and as it could have run, in ${seconds(this.span(this.plan.times))}` : "";
    return `Timeline of ${count(this.turn.calls.length, "call")} as they ran, in ${seconds(this.span(this.real.times))}${plan}. Arrow keys move from bar to bar.`;
  }

  own(times) {
    const some = times.filter((_, at) => isOwn(this.turn.calls[at]) && times[at][1]);
    return some.length ? some : times;
  }

  end(times) {
    return Math.max(0, ...this.own(times).map(([start, duration]) => start + duration));
  }

  span(times) {
    return times.length ? this.end(times) - Math.min(...this.own(times).map(([start]) => start)) : 0;
  }

  heading(text, end) {
    this.back.append(s("text", { class: "heading", x: 0, y: this.y + 12 }, text));
    if (this.turn.calls.length) {
      const note = `calls done after ${seconds(end)}`;
      this.back.append(s("text", { class: "note", x: this.left + 6, y: this.y + 12 }, note));
    }
    this.y += 20;
  }

  steps() {
    if (!this.turn.steps.length) return;
    this.label("model", 0, [], this.y + 10);
    this.note(this.turn.steps.reduce((sum, [, duration]) => sum + duration, 0), this.y + 10);
    this.turn.steps.forEach(([start, duration], at) => {
      this.bar("step", start, duration, this.y + 2, 12, [`Model step ${at + 1}`, this.when(start, duration)]);
    });
    this.y += 20;
  }

  section(part) {
    const middle = new Map();
    const lanes = part.rows.reduce((sum, row) => sum + row.lanes, 0);
    const pitch = this.packed ? Math.min(part.bar, Math.max(1, PACKED_HEIGHT / lanes)) : part.bar + 1;
    const bar = pitch - Math.min(1, pitch / 3);
    for (const row of part.rows) {
      const height = this.packed ? Math.max(part.height, row.lanes * pitch + 6) : part.height;
      const text = this.y + Math.min(height, part.height) / 2 + 4;
      const numbers = [...new Set(row.calls.map((at) => this.found.get(at)).filter(Boolean))];
      this.label(this.labelOf(row), row.depth, numbers, text, part.name === "plan");
      this.note(row.note, text);
      for (const at of row.calls) {
        const y = this.y + (this.packed ? (height - row.lanes * pitch) / 2 + row.lane.get(at) * pitch : (height - bar) / 2);
        middle.set(at, y + bar / 2);
        this.call(part, at, y, bar);
      }
      this.y += height;
    }
    if (!this.packed && part.name === "real") this.links(part, middle);
  }

  call(part, at, y, height) {
    const [tool, start, duration, , failed] = this.turn.calls[at];
    const number = this.found.get(at);
    const finding = number && this.turn.findings[number - 1];
    const planned = this.turn.planned[at];
    const [from, length] = part.times[at];
    const lines = [say(tool), this.when(start, duration), failed && "failed"];
    if (number) lines.push(`finding ${number}: ${page.causes[finding.cause]}`);
    if (planned && (planned[0] !== start || planned[1] !== duration)) lines.push(`could run ${this.when(...planned)}`);
    const classes = ["call", part.name, failed && "failed", number && hue(number), finding && finding.advice];
    const group = this.bar(classes.filter(Boolean).join(" "), from, length, y, height, lines);
    group.dataset.call = at;
    if (number) group.dataset.finding = number;
    if (failed && height > 6) {
      const x = this.x(from) + 7;
      const middle = y + height / 2;
      group.append(s("path", { class: "cross", d: `M${x - 3} ${middle - 3}l6 6m0-6l-6 6` }));
    }
  }

  bar(classes, start, duration, y, height, lines) {
    const x = this.x(start);
    const width = Math.max(1.5, this.x(start + duration) - x);
    const group = s(
      "g",
      { class: classes, role: "img", tabindex: -1, "aria-label": lines.filter(Boolean).join(", ") },
      s("rect", { class: "bar", x: x.toFixed(2), y, width: width.toFixed(2), height, rx: Math.min(2, width / 3, height / 3) }),
    );
    this.front.append(explain(group, ...lines));
    this.bars.push(group);
    return group;
  }

  when(start, duration) {
    return `${seconds(duration)}, from ${seconds(start)} to ${seconds(start + duration)}`;
  }

  label(text, depth, numbers, y, quiet = false) {
    const from = this.badges + depth * 12;
    const room = this.left - from - 10;
    if (numbers.length) {
      const [first] = numbers;
      this.back.append(
        s("rect", { class: `badge ${hue(first)}`, x: 0, y: y - 10.5, width: 16, height: 13, rx: 3 }),
        s("text", { class: "badge", x: 8, y: y - 0.5 }, numbers.length > 1 ? `${first}+` : first),
      );
    }
    this.back.append(s("text", { class: quiet ? "label quiet" : "label", x: from, y }, cut(text, room)));
  }

  note(us, y) {
    this.back.append(s("text", { class: "note end", x: this.width, y }, seconds(us)));
  }

  // From the end of each call of a chain to the start of the next.
  links(part, middle) {
    this.turn.findings.forEach((finding, at) => {
      if (finding.kind !== "sequential_chain") return;
      const path = [];
      finding.calls.slice(1).forEach((next, before) => {
        const [start, duration] = part.times[finding.calls[before]];
        const [following] = part.times[next];
        if (following < start + duration || !middle.has(next)) return;
        const [x, down] = [this.x(start + duration), middle.get(finding.calls[before])];
        path.push(`M${x.toFixed(1)} ${down}H${this.x(following).toFixed(1)}V${middle.get(next)}`);
      });
      this.back.append(s("path", { class: `link ${hue(at + 1)}`, d: path.join("") }));
    });
  }

  // The time between the possible end and the actual end.
  saved(top, bottom) {
    const [was, could] = [this.end(this.real.times), this.end(this.plan.times)];
    const [from, to] = [this.x(could), this.x(was)];
    if (to - from < 1) return;
    const middle = (top + 20 + bottom) / 2;
    const text = `${seconds(was - could)} saved`;
    const room = pen.measureText(text).width + 20;
    this.back.append(s("rect", { class: "saved", x: from, y: top + 20, width: to - from, height: bottom - top - 20 }));
    this.back.append(s("path", { class: "ends", d: `M${from} ${top + 20}V${bottom}M${to} ${top + 20}V${bottom}` }));
    if (to - from > room) {
      const x = (from + to) / 2;
      this.back.append(s("rect", { class: "tag", x: x - room / 2, y: middle - 10, width: room, height: 20, rx: 10 }));
      this.back.append(s("text", { class: "tag", x, y: middle + 4 }, text));
    }
  }

  axis(top, bottom) {
    const step = niceStep(this.length, (this.right - this.left) / TICK);
    for (let at = 0; at <= this.length; at += step) {
      const x = this.x(at);
      this.back.prepend(s("line", { class: "grid", x1: x, x2: x, y1: top - 4, y2: bottom }));
      this.back.append(s("text", { class: at ? "tick" : "tick first", x, y: top - 8 }, at ? tickLabel(at, step) : "0"));
    }
  }
}
