// One turn in full: its numbers, its timeline, its findings with what to do, its calls as a table.

class Detail {
  constructor() {
    this.packed = null;
    new ResizeObserver(([entry]) => {
      const width = Math.round(entry.contentRect.width);
      if (this.turn && width !== this.width) this.redraw();
    }).observe(byId("detail"));
  }

  show(turn, at) {
    this.turn = turn;
    this.packed = turn.calls.length > PACKED_ABOVE;
    const title = say(turn.title);
    const parts = [
      h("header", { class: "turn" }, h("h2", { id: "title" }, h("span", { class: "number" }, `Turn ${at + 1}`), " ", title), verdict(turn.verdict)),
      h("p", { class: "sentence" }, this.sentence(turn)),
      this.numbers(turn),
      this.figure(turn),
      this.findings(turn),
      turn.remarks.map((remark) => h("p", { class: "remark" }, say(remark))),
      turn.calls.length ? this.table(turn) : null,
    ];
    byId("detail").replaceChildren(...parts.flat().filter(Boolean));
    this.redraw();
  }

  sentence(turn) {
    const sentence = page.verdicts[turn.verdict];
    const trace = h("code", { tabindex: 0 }, turn.trace_id);
    return [`${sentence[0].toUpperCase()}${sentence.slice(1)}. `, h("span", { class: "quiet" }, turn.started, turn.started && turn.trace_id && " · trace ", turn.trace_id && trace)];
  }

  numbers(turn) {
    const cards = turn.numbers.map(([at, text]) => {
      const { label, attribute, meaning } = page.measures[at];
      const card = h("div", { tabindex: 0 }, h("dt", {}, label), h("dd", {}, text));
      return explain(card, label, meaning, attribute);
    });
    return h("dl", { class: "numbers" }, cards);
  }

  figure(turn) {
    if (!turn.calls.length && !turn.steps.length) return h("p", { class: "empty" }, "This turn made no call.");
    this.canvas = h("div", { class: "canvas" });
    const modes = [["One row a call", false], ["Packed by tool", true]];
    const buttons = modes.map(([text, packed]) =>
      h("button", { type: "button", "aria-pressed": String(this.packed === packed), onclick: () => this.pack(packed) }, text),
    );
    this.modes = buttons;
    const bar = turn.calls.length > 1 ? h("div", { class: "modes", role: "group", "aria-label": "Rows" }, buttons) : null;
    return h("figure", {}, h("div", { class: "bar-of-figure" }, h("h3", {}, "Timeline"), bar), this.canvas, this.legend(turn));
  }

  pack(packed) {
    this.packed = packed;
    this.modes.forEach((button, at) => button.setAttribute("aria-pressed", String(packed === Boolean(at))));
    this.redraw();
  }

  redraw() {
    this.width = Math.round(byId("detail").clientWidth);
    if (!this.turn || !this.canvas || !this.canvas.isConnected) return;
    const width = Math.max(480, Math.floor(this.canvas.clientWidth));
    this.canvas.replaceChildren(new Timeline(this.turn, width, this.packed).draw());
  }

  legend(turn) {
    const entry = (classes, text) => h("li", {}, h("i", { class: classes }), text);
    return h(
      "ul",
      { class: "legend" },
      turn.steps.length ? entry("step", "model step") : null,
      marks(turn).size < turn.calls.length ? entry("call", "call") : null,
      turn.findings.map((finding, at) => entry(`${hue(at + 1)} ${finding.advice}`, `finding ${at + 1}: ${finding.cause}`)),
      turn.planned.length ? entry("saved", "time saved") : null,
    );
  }

  findings(turn) {
    if (!turn.findings.length) return null;
    const all = turn.findings.map((finding, at) => this.finding(finding, at + 1));
    return h("section", { class: "findings", "aria-label": "Findings" }, h("h3", {}, "Findings"), h("ol", {}, all));
  }

  finding(finding, number) {
    const sure = finding.advice === "recommended";
    const where = finding.place !== undefined && say(finding.place);
    const todo = say(finding.todo);
    const share = this.turn.makespan ? ` of ${seconds(this.turn.makespan * 1e6)}` : "";
    const item = h(
      "li",
      { class: hue(number) },
      h("span", { class: "badge", "aria-hidden": "true" }, number),
      h(
        "div",
        {},
        h("p", { class: "happened" }, say(finding.happened)),
        h("p", { class: "price" }, h("b", {}, finding.avoidable ? `${sure ? "" : "perhaps "}${seconds(finding.avoidable * 1e6)}${share}` : "cost unknown"), h("span", { class: "advice" }, finding.advice), h("span", { class: "advice" }, `cause: ${finding.cause}`)),
        todo && h("p", { class: "todo" }, todo),
        where && !todo.includes(where) && h("p", { class: "todo" }, "See ", h("code", {}, where)),
        finding.evidence.length ? h("details", {}, h("summary", {}, "Evidence"), h("ul", {}, finding.evidence.map((at) => h("li", {}, say(at))))) : null,
        finding.prompt === null ? null : this.prompt(page.guidance + say(finding.prompt)),
      ),
    );
    const light = (on) => this.light(on ? number : null);
    for (const [event, on] of [["pointerenter", true], ["pointerleave", false], ["focusin", true], ["focusout", false]])
      item.addEventListener(event, () => light(on));
    return item;
  }

  light(number) {
    const view = this.canvas && this.canvas.querySelector("svg");
    if (!view) return;
    for (const bar of view.querySelectorAll("g.call")) bar.classList.toggle("dim", number !== null && Number(bar.dataset.finding) !== number);
  }

  prompt(text) {
    const area = h("textarea", { readonly: true, rows: 12, "aria-label": "Text for the system prompt" });
    area.value = text;
    const button = h("button", { type: "button", class: "copy", onclick: () => copy(area, button) }, "Copy");
    return h("details", { class: "prompt" }, h("summary", {}, "Text for the system prompt"), h("div", {}, button, area));
  }

  table(turn) {
    const found = marks(turn);
    const depths = new Map(nested(turn));
    const planned = turn.planned.length > 0;
    const row = ([at, depth]) => {
      const [tool, start, duration, , failed] = turn.calls[at];
      const could = planned ? h("td", {}, seconds(turn.planned[at][0])) : null;
      return h("tr", {}, h("th", { scope: "row", class: `d${Math.min(depth, 4)}` }, say(tool), failed ? h("span", { class: "failure" }, " failed") : null), h("td", {}, seconds(start)), h("td", {}, seconds(duration)), could, h("td", {}, found.get(at) ?? ""));
    };
    const heads = ["Tool", "Started after", "Took", ...(planned ? ["Could start after"] : []), "Finding"];
    const details = h("details", { class: "calls" }, h("summary", {}, `All ${count(turn.calls.length, "call")} as a table`));
    // The table is built when it is opened, because it can be long.
    details.addEventListener("toggle", () => {
      if (!details.open || details.querySelector("table")) return;
      details.append(h("table", {}, h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, [...depths].map(row))));
    });
    return details;
  }
}

async function copy(area, button) {
  try {
    await navigator.clipboard.writeText(area.value);
  } catch {
    area.select();
    if (!document.execCommand("copy")) return;
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 2000);
}
