"use strict";
// Elements, words and tooltips. All text is set as text nodes, because names come from untrusted files.

const SVG = "http://www.w3.org/2000/svg";
const page = JSON.parse(document.getElementById("document").textContent);
const say = (at) => page.strings[at];
const byId = (id) => document.getElementById(id);

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return element;
}
const h = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);
const s = (tag, attributes = {}, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

function seconds(us) {
  const value = us / 1e6;
  if (value > 0 && value < 0.01) return `${(value * 1e3).toFixed(1)} ms`;
  return value < 100 ? `${value.toFixed(2)} s` : `${Math.round(value).toLocaleString("en-US")} s`;
}
// A range where what is unknown could lower the value visibly.
const range = (low, high) => (high - low > 0.005 ? `${low.toFixed(2)}–${high.toFixed(2)}` : high.toFixed(2));
const words = (name) => name.replaceAll("_", " ");
const count = (number, noun) => `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;

// One tooltip for the page: it follows the pointer or the focus, and Escape hides it.
const tip = h("div", { id: "tip", role: "tooltip", hidden: true });
document.body.append(tip);
const told = new WeakMap();
let tipped = null;

function explain(element, ...lines) {
  told.set(element, lines);
  return element;
}

function showTip(from) {
  let element = from instanceof Element ? from : null;
  while (element && !told.has(element)) element = element.parentElement;
  if (element === tipped) return;
  if (tipped) tipped.removeAttribute("aria-describedby");
  tipped = element;
  tip.hidden = !element;
  if (!element) return;
  tip.replaceChildren(...told.get(element).filter(Boolean).map((line, at) => h(at ? "span" : "b", {}, line)));
  element.setAttribute("aria-describedby", "tip");
  const target = (element.querySelector(".bar") || element).getBoundingClientRect();
  const box = tip.getBoundingClientRect();
  const below = target.bottom + 8 + box.height < innerHeight;
  tip.style.left = `${Math.max(8, Math.min(target.left, innerWidth - box.width - 8))}px`;
  tip.style.top = `${below ? target.bottom + 8 : Math.max(8, target.top - box.height - 8)}px`;
}
document.addEventListener("pointerover", (event) => showTip(event.target));
document.addEventListener("focusin", (event) => showTip(event.target));
document.addEventListener("focusout", () => showTip(null));
document.addEventListener("scroll", () => showTip(null), true);
document.addEventListener("keydown", (event) => event.key === "Escape" && showTip(null));

// One tab stop for many items: arrow keys, Home and End move among the items that match *selector*.
function roving(container, selector, moved = () => {}) {
  container.addEventListener("keydown", (event) => {
    const current = event.target.closest(selector);
    if (!current || event.altKey || event.ctrlKey || event.metaKey) return;
    const all = [...container.querySelectorAll(selector)];
    const at = all.indexOf(current);
    const steps = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 };
    const next = all[steps[event.key]];
    if (!next) return;
    event.preventDefault();
    current.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
    moved(next);
  });
}
