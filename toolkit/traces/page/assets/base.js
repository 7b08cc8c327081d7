// Elements, numbers and long texts. Text gets into the page by text nodes only.

const find = (id) => document.getElementById(id);
const data = (id) => JSON.parse(find(id).textContent);

// Characters that turn text around, hide it, or have no form of their own.
const UNSHOWN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const shown = (text) =>
  text.replace(/\r\n/g, "\n").replace(UNSHOWN, (c) => (c < " " ? String.fromCharCode(0x2400 + c.charCodeAt(0)) : "\ufffd"));

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null).map((c) => (c instanceof Node ? c : shown(String(c)))));
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// -- numbers for people ------------------------------------------------------------------------

function count(n) {
  for (const [limit, divisor, unit] of [[1000, 1, ""], [999500, 1e3, "k"], [999.5e6, 1e6, "M"]]) {
    if (n < limit) return unit && n / divisor < 100 ? (n / divisor).toFixed(1) + unit : Math.round(n / divisor) + unit;
  }
  return (n / 1e9).toFixed(1) + "G";
}

function duration(s) {
  if (s < 0.0005) return s > 0 ? "< 1 ms" : "0 ms";
  if (s < 1) return s < 0.0995 ? `${Math.round(s * 1000)} ms` : `${s.toFixed(2)} s`;
  if (s < 59.95) return `${s.toFixed(1)} s`;
  const minutes = Math.floor(Math.round(s) / 60);
  return minutes < 60 ? `${minutes} m ${Math.round(s) % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}

const dollars = (cost) => (cost === null ? "–" : cost && Math.abs(cost) < 0.1 ? `$${cost.toFixed(4)}` : `$${cost.toFixed(2)}`);
const tokens = (input, output) => (input || output ? `${count(input)} / ${count(output)}` : "");
const size = (n) => (n < 1000 ? `${n} B` : n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`);
const moment = (start) => (start ? `${start.slice(5, 10)} ${start.slice(11, 16)}` : "–");
const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

// -- small parts -------------------------------------------------------------------------------

const badge = (text, kind) => el("span", { class: `badge ${kind || ""}` }, text);

const KNOWN = ["ok", "running", "queued", "not_converged", "budget_exceeded", "cancelled", "error"];
const statusClass = (status) => `s-${KNOWN.includes(status) ? status : "error"}`;
const statusBadge = (status) => badge(status.replaceAll("_", " "), `status ${statusClass(status)}`);

const PREVIEW_CHARS = 3000;
const PREVIEW_LINES = 40;
const BLOCK_CHARS = 16000;

// Where a text is cut for its preview: after so many lines or characters.
function previewEnd(text) {
  let at = -1;
  for (let line = 0; line < PREVIEW_LINES; line += 1) {
    at = text.indexOf("\n", at + 1);
    if (at < 0) return text.length <= PREVIEW_CHARS * 1.2 ? text.length : PREVIEW_CHARS;
    if (at > PREVIEW_CHARS) return at < PREVIEW_CHARS * 1.2 ? at : PREVIEW_CHARS;
  }
  return text.length - at < 200 ? text.length : at;
}

// A text in blocks, of which the browser lays out only those that are near the screen.
function* blocks(text) {
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + BLOCK_CHARS, text.length);
    const line = end < text.length ? text.lastIndexOf("\n", end) : -1;
    if (line > at) end = line;
    yield text.slice(at, end);
    at = line > at ? end + 1 : end;
  }
}

// A text of any length: its beginning, and the rest when it is asked for.
function longText(text, kind, draw = (piece) => [piece]) {
  const pre = el("pre", { class: kind || null });
  const end = previewEnd(text);
  const fill = (whole) => {
    const pieces = whole ? [...blocks(shown(text))] : [shown(text.slice(0, end))];
    pre.replaceChildren(...pieces.map((piece) => {
      const block = document.createElement("div");
      if (whole && pieces.length > 1) block.className = "block";
      block.append(...draw(piece));
      return block;
    }));
  };
  fill(false);
  if (end >= text.length) return pre;
  const more = () => `show all · ${size(text.length)}`;
  const button = el("button", { class: "more", type: "button", "aria-expanded": "false" }, more());
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "show less" : more();
    fill(open);
    if (!open) button.scrollIntoView({ block: "nearest" });
  });
  return el("div", { class: "long" }, pre, button);
}

// A diff's lines in the colours of what they do; the sign itself stays for those who see no colours.
function diffLines(piece) {
  return piece.split("\n").map((line) => {
    const kind = { "+": "add", "-": "del", "@": "hunk" }[line[0]];
    const node = document.createElement("span");
    node.className = kind ? `line ${kind}` : "line";
    node.textContent = line || " ";
    return node;
  });
}

const section = (title, ...children) => el("section", { class: "part" }, el("h3", null, title), ...children);
