// The list of turns: a small picture of each, the filter and the order.

const PAGE = 200;
const HAS_FINDINGS = "findings";
const ORDERS = {
  start: ["In order of start", (a, b) => a.at - b.at],
  lost: ["Most time lost first", (a, b) => b.turn.avoidable - a.turn.avoidable || b.turn.perhaps - a.turn.perhaps || a.at - b.at],
  efficiency: ["Lowest efficiency first", (a, b) => (a.turn.efficiency ?? 2) - (b.turn.efficiency ?? 2) || (a.turn.floor ?? 2) - (b.turn.floor ?? 2) || a.at - b.at],
  makespan: ["Longest first", (a, b) => b.turn.makespan - a.turn.makespan || a.at - b.at],
};

// Calls as strokes, one below the other: a staircase means one by one, a block means together.
function spark(turn, width = 84, height = 24) {
  const found = marks(turn);
  const own = turn.calls.map((call, at) => [call, at]).filter(([call]) => isOwn(call));
  const first = Math.min(...own.map(([call]) => call[1]));
  const length = Math.max(...own.map(([call]) => call[1] + call[2])) - first || 1;
  const paths = {};
  own.forEach(([[, start, duration], at], row) => {
    const x = ((start - first) / length) * width;
    const y = ((row + 0.5) / own.length) * height;
    const name = found.has(at) ? turn.findings[found.get(at) - 1].advice : "fine";
    paths[name] = `${paths[name] || ""}M${x.toFixed(1)} ${y.toFixed(1)}h${Math.max(1, (duration / length) * width).toFixed(1)}`;
  });
  const stroke = Math.max(1, Math.min(4, (height / Math.max(1, own.length)) * 0.7));
  return s(
    "svg",
    { class: "spark", width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    Object.entries(paths).map(([name, d]) => s("path", { class: name, d, "stroke-width": stroke.toFixed(1) })),
  );
}

const verdict = (name) => h("span", { class: `verdict v-${name}` }, words(name));

function cost(turn) {
  if (turn.avoidable) return `−${seconds(turn.avoidable * 1e6)}`;
  return turn.perhaps ? `−${seconds(turn.perhaps * 1e6)}?` : "";
}

class TurnList {
  constructor(select) {
    this.select = select;
    this.all = page.turns.map((turn, at) => ({ turn, at, text: this.textOf(turn) }));
    this.most = PAGE;
    this.chosen = 0;
    const verdicts = [...new Set(page.turns.map((turn) => turn.verdict))].sort();
    const number = (name) => page.turns.filter((turn) => turn.verdict === name).length;
    byId("which").append(
      h("option", { value: "" }, "All turns"),
      h("option", { value: HAS_FINDINGS }, `With findings (${page.turns.filter((turn) => turn.findings.length).length})`),
      ...verdicts.map((name) => h("option", { value: name }, `${words(name)} (${number(name)})`)),
    );
    byId("order").append(...Object.entries(ORDERS).map(([key, [label]]) => h("option", { value: key }, label)));
    for (const id of ["query", "which", "order"]) byId(id).addEventListener("input", () => this.changed());
    byId("query").addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") this.focus(event);
      if (event.key === "Escape" && byId("query").value) this.clear();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
      event.preventDefault();
      byId("query").focus();
    });
    byId("more").addEventListener("click", () => {
      this.most += PAGE;
      this.render();
    });
    roving(byId("turns"), "a", (row) => this.select(Number(row.dataset.turn)));
    this.render();
  }

  textOf(turn) {
    const tools = new Set(turn.calls.map((call) => say(call[0])));
    const causes = turn.findings.map((finding) => `cause:${finding.cause} ${finding.advice} ${say(finding.place)}`);
    return [say(turn.title), words(turn.verdict), turn.verdict, turn.trace_id, ...tools, ...causes].join("\n").toLowerCase();
  }

  changed() {
    this.most = PAGE;
    this.render();
  }

  clear() {
    byId("query").value = byId("which").value = "";
    this.changed();
  }

  focus(event) {
    const row = byId("turns").querySelector('a[tabindex="0"]');
    if (!row) return;
    event.preventDefault();
    row.focus();
  }

  matching() {
    const parts = byId("query").value.toLowerCase().split(/\s+/).filter(Boolean);
    const which = byId("which").value;
    return this.all
      .filter(({ turn }) => !which || (which === HAS_FINDINGS ? turn.findings.length : turn.verdict === which))
      .filter(({ text }) => parts.every((part) => text.includes(part)))
      .sort(ORDERS[byId("order").value || "start"][1]);
  }

  render() {
    const found = this.matching();
    const shown = found.slice(0, this.most);
    byId("turns").replaceChildren(...shown.map((one) => this.row(one)));
    if (!found.length)
      byId("turns").append(
        h("li", { class: "nothing" }, "No turn matches. ", h("button", { type: "button", onclick: () => this.clear() }, "Show all turns")),
      );
    const all = this.all.length;
    byId("shown").textContent = found.length === all ? count(all, "turn") : `${found.length.toLocaleString("en-US")} of ${count(all, "turn")}`;
    byId("more").hidden = found.length <= shown.length;
    byId("more").textContent = `Show ${Math.min(PAGE, found.length - shown.length)} more`;
    this.choose(this.chosen);
  }

  row({ turn, at }) {
    const efficiency = turn.efficiency === null ? "–" : range(turn.floor, turn.efficiency);
    return h(
      "li",
      {},
      h(
        "a",
        { href: `#turn-${at + 1}`, "data-turn": at, tabindex: -1 },
        spark(turn),
        h("span", { class: "name" }, h("span", { class: "number" }, at + 1), " ", say(turn.title)),
        h("span", { class: turn.avoidable ? "cost" : "cost perhaps" }, cost(turn)),
        verdict(turn.verdict),
        h("span", { class: "efficiency" }, h("span", { class: "unseen" }, "efficiency "), efficiency),
      ),
    );
  }

  // Scroll only the list to *row*.
  reveal(row) {
    const [box, list] = [row.getBoundingClientRect(), byId("turns").getBoundingClientRect()];
    if (box.top < list.top) byId("turns").scrollTop += box.top - list.top;
    else if (box.bottom > list.bottom) byId("turns").scrollTop += box.bottom - list.bottom;
  }

  choose(at) {
    this.chosen = at;
    let chosen = null;
    for (const row of byId("turns").querySelectorAll("a")) {
      const is = Number(row.dataset.turn) === at;
      row.toggleAttribute("aria-current", is);
      if (is) row.setAttribute("aria-current", "true");
      row.setAttribute("tabindex", is ? 0 : -1);
      if (is) chosen = row;
    }
    if (chosen) this.reveal(chosen);
    else byId("turns").querySelector("a")?.setAttribute("tabindex", 0);
  }
}
