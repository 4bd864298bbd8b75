// The page: the overview of all turns, the selected turn, and the light or dark theme.

const THEMES = ["light dark", "light", "dark"];
const COLUMNS = 400;
const COLUMN = 14;

function theme() {
  const button = byId("theme");
  let at = 0;
  try {
    at = Math.max(0, THEMES.indexOf(localStorage.getItem("otel-parallelism-theme")));
  } catch {
    // Storage is not available for local files.
  }
  const apply = () => {
    document.documentElement.style.colorScheme = THEMES[at];
    button.textContent = `Theme: ${["system", "light", "dark"][at]}`;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    at = (at + 1) % THEMES.length;
    apply();
    try {
      localStorage.setItem("otel-parallelism-theme", THEMES[at]);
    } catch {
      // As above.
    }
  });
  apply();
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const tile = (label, value, note, extra = "") => h("div", { class: `tile ${extra}` }, h("p", { class: "tile-label" }, label), h("p", { class: "tile-value" }, value), h("p", { class: "tile-note" }, note));

// Avoidable time by cause, as one bar and its legend.
function causes() {
  const sums = new Map();
  for (const turn of page.turns)
    for (const finding of turn.findings)
      if (finding.advice === "recommended") sums.set(finding.cause, (sums.get(finding.cause) || 0) + finding.avoidable);
  const sorted = [...sums].filter(([, sum]) => sum > 0).sort((a, b) => b[1] - a[1]);
  if (!sorted.length) return null;
  const total = sorted.reduce((all, [, sum]) => all + sum, 0);
  let from = 0;
  const bars = sorted.map(([cause, sum]) => {
    const bar = s("rect", { class: `c-${cause}`, x: `${(from / total) * 100}%`, width: `${(sum / total) * 100}%`, height: 14 });
    from += sum;
    return explain(bar, cause, page.causes[cause], seconds(sum * 1e6));
  });
  const legend = sorted.map(([cause, sum]) => explain(h("li", { tabindex: 0 }, h("i", { class: `c-${cause}` }), `${cause} ${seconds(sum * 1e6)}`), cause, page.causes[cause]));
  return h("div", { class: "tile wide" }, h("p", { class: "tile-label" }, "Why time was lost"), s("svg", { class: "stack", width: "100%", height: 14, "aria-hidden": "true" }, bars), h("ul", { class: "legend" }, legend));
}

// One column for each turn: the time of its calls, and the part that could be saved.
function columns(select) {
  if (page.turns.length < 4 || page.turns.length > COLUMNS) return null;
  const most = Math.max(...page.turns.map((turn) => turn.makespan)) || 1;
  const [width, height] = [page.turns.length * 10, 48];
  const bars = page.turns.map((turn, at) => {
    const whole = Math.max(1, (turn.makespan / most) * height);
    const lost = Math.min(whole, (turn.avoidable / most) * height);
    const group = s(
      "g",
      { class: "column", onclick: () => select(at) },
      s("rect", { class: "room", x: at * 10, y: 0, width: 10, height }),
      s("rect", { class: "needed", x: at * 10 + 1, y: height - whole + lost, width: 8, height: whole - lost }),
      s("rect", { class: "lost", x: at * 10 + 1, y: height - whole, width: 8, height: lost }),
    );
    return explain(group, `Turn ${at + 1}: ${say(turn.title)}`, `calls took ${seconds(turn.makespan * 1e6)}`, turn.avoidable ? `${seconds(turn.avoidable * 1e6)} could be saved` : "nothing known to be avoidable");
  });
  const view = s("svg", { class: "columns", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", width: page.turns.length * COLUMN, height, "aria-hidden": "true" }, bars);
  const legend = h("ul", { class: "legend" }, h("li", {}, h("i", { class: "needed" }), "needed"), h("li", {}, h("i", { class: "lost" }), "could be saved"));
  return h("div", { class: "tile wide" }, h("p", { class: "tile-label" }, "Time of each turn's calls"), view, legend);
}

// The findings of all turns, recommended ones first, then by their sum. A click shows the worst turn of one.
function faults(select) {
  if (!page.faults.some((fault) => fault.turns > 1)) return null;
  const row = (fault) => {
    const sure = fault.advice === "recommended";
    const sum = fault.avoidable ? `${sure ? "" : "perhaps "}${seconds(fault.avoidable * 1e6)}` : "cost unknown";
    const where = [say(fault.agent), say(fault.place)].filter(Boolean).join(" · ");
    const worst = h("a", { href: `#turn-${fault.worst + 1}` }, `turn ${fault.worst + 1}`);
    worst.addEventListener("click", (event) => {
      event.preventDefault();
      select(fault.worst);
    });
    return h(
      "li",
      { class: fault.advice },
      h("b", {}, sum),
      h("span", { class: "advice" }, fault.advice),
      h("span", { class: "advice" }, `cause: ${fault.cause}`),
      h("p", { class: "happened" }, say(fault.happened)),
      h("p", { class: "quiet" }, where ? `${where} · ` : "", fault.turns > 1 ? `in ${count(fault.turns, "turn")}, ${fault.avoidable ? `at most ${seconds(fault.most * 1e6)}` : "first"} in ` : "", worst),
    );
  };
  return h("div", { class: "tile wide faults" }, h("p", { class: "tile-label" }, "Findings of all turns: recommended ones first, then by their sum"), h("ol", {}, page.faults.map(row)));
}

function overview(select) {
  const losing = page.turns.filter((turn) => turn.avoidable);
  const lost = losing.reduce((sum, turn) => sum + turn.avoidable, 0);
  const took = losing.reduce((sum, turn) => sum + turn.makespan, 0);
  const perhaps = page.turns.reduce((sum, turn) => sum + turn.perhaps, 0);
  const known = page.turns.filter((turn) => turn.efficiency !== null);
  const middle = (value) => median(known.map(value));
  const open = page.turns.some((turn) => turn.verdict === "unseen" || turn.verdict === "possibly_sequential");
  const more = perhaps ? `perhaps ${seconds(perhaps * 1e6)} more` : open ? "what else is possible is not known" : "nothing else suspected";
  const saved = lost || !perhaps ? seconds(lost * 1e6) : `perhaps ${seconds(perhaps * 1e6)}`;
  const about = lost ? `of ${seconds(took * 1e6)} in ${count(losing.length, "turn")}; ${more}` : perhaps ? "nothing is certain" : more;
  byId("overview").append(
    ...[
      tile("Could be saved", saved, about, lost ? "bad" : perhaps || open ? "unsure" : "good"),
      tile("Turns that lose time", `${losing.length}`, `of ${count(page.turns.length, "turn")}`),
      tile("Median efficiency", known.length ? range(middle((turn) => turn.floor), middle((turn) => turn.efficiency)) : "–", "1 means nothing to gain"),
      causes(),
      columns(select),
      faults(select),
    ].filter(Boolean),
  );
  byId("overview").hidden = false;
}

function start() {
  theme();
  byId(page.turns.length ? "main" : "none").hidden = false;
  if (!page.turns.length) return;
  const detail = new Detail();
  let list = null;
  const select = (at) => {
    if (!page.turns[at]) return;
    history.replaceState(null, "", `#turn-${at + 1}`);
    list.choose(at);
    detail.show(page.turns[at], at);
  };
  const asked = () => Number(/^#turn-(\d+)$/.exec(location.hash)?.[1] ?? 0) - 1;
  if (page.turns.length > 1) overview(select);
  else byId("main").classList.add("single");
  list = new TurnList(select);
  const worst = page.turns.reduce((best, turn, at) => (turn.avoidable > page.turns[best].avoidable ? at : best), 0);
  select(page.turns[asked()] ? asked() : worst);
  addEventListener("hashchange", () => page.turns[asked()] && select(asked()));
  byId("turns").addEventListener("click", (event) => {
    const row = event.target.closest("a");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    select(Number(row.dataset.turn));
  });
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("#detail details")) {
      part.open = true;
      part.dispatchEvent(new Event("toggle")); // the browser's own event comes too late
    }
  });
}

start();
