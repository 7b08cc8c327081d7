// The spans of a run by time: a tree of bars. Enter tells a span in full, left and right fold and unfold.

const KINDS = ["model", "tool", "check", "agent", "step"];

function waterfall(doc, box) {
  const spans = doc.spans;
  const total = spans.reduce((most, span) => Math.max(most, span.at + span.took), 0) || 1;
  const path = [];
  spans.forEach((span, n) => {
    span.n = n;
    path.length = Math.min(path.length, span.depth);
    span.parent = path[span.depth - 1] === undefined ? -1 : path[span.depth - 1];
    if (span.parent >= 0) spans[span.parent].folds = true;
    path[span.depth] = n;
  });
  const folded = new Set();
  const told = new Set();
  const kinds = new Set();
  const search = el("input", { type: "search", placeholder: "Filter spans", "aria-label": "Filter spans by name or note", autocomplete: "off" });
  const output = el("output");
  const chips = [...KINDS.filter((kind) => spans.some((span) => span.kind === kind)), "errors"].map((kind) => {
    const chip = el("button", { type: "button", class: `chip k-${kind}`, "aria-pressed": "false" }, kind);
    chip.addEventListener("click", () => {
      if (!kinds.delete(kind)) kinds.add(kind);
      chip.setAttribute("aria-pressed", String(kinds.has(kind)));
      update();
    });
    return chip;
  });
  const body = el("div", { role: "presentation" });
  const grid = el("div", { class: "grid spans", id: "spans-grid" });
  const ticks = el("div", { class: "ticks", "aria-hidden": "true" }, ...[0, 0.25, 0.5, 0.75].map((part) => el("span", null, part ? duration(part * total) : "0")));
  box.append(el("div", { class: "bar" }, search, ...chips, output),
    grid);
  grid.append(el("div", { class: "head", "aria-hidden": "true" }, el("span", null, "span"), ticks, el("span", { class: "num" }, "took"),
    el("span", { class: "num c-tokens" }, "tokens in / out"), el("span", { class: "num c-cost" }, "cost")), body);
  const rows = new Rows(grid, { label: "Spans; Enter shows one in full, left and right fold", role: "treegrid", make: spanRow, open: toggle, key });
  search.addEventListener("input", update);

  function matches(span) {
    const word = search.value.toLowerCase();
    const kindFits = !kinds.size || [...kinds].every((kind) => kind === "errors") || kinds.has(span.kind);
    return kindFits && (!kinds.has("errors") || span.failed)
      && (!word || `${span.name} ${doc.texts[span.note]}`.toLowerCase().includes(word));
  }

  // What is shown: what matches and, for its place in the tree, whatever it hangs under.
  function update() {
    const filtered = search.value || kinds.size;
    const found = spans.filter(matches);
    const keep = new Set();
    for (const span of found) for (let n = span.n; n >= 0 && !keep.has(n); n = spans[n].parent) keep.add(n);
    const hidden = new Set();
    for (const span of spans) if (hidden.has(span.parent) || folded.has(span.parent)) hidden.add(span.n);
    output.textContent = filtered ? `${found.length.toLocaleString("en")} of ${plural(spans.length, "span")}` : plural(spans.length, "span");
    const active = rows.items[rows.active];
    const items = filtered ? spans.filter((span) => keep.has(span.n)) : spans.filter((span) => !hidden.has(span.n));
    rows.set(items, active ? items.indexOf(active) : -1);
    if (!items.length) body.append(el("p", { class: "empty" }, spans.length ? "No span matches the filter." : "No spans yet."));
  }

  function spanRow(span) {
    const bar = el("span", { class: `fill k-${span.kind}${span.failed ? " failed" : ""}` });
    bar.style.left = `${Math.min(99.7, (100 * span.at) / total)}%`;
    bar.style.width = `${Math.max(0.3, Math.min(100, (100 * span.took) / total))}%`;
    const fold = el("span", { class: "fold", "aria-hidden": "true" }, span.folds ? (folded.has(span.n) ? "▸" : "▾") : "");
    fold.addEventListener("click", (event) => { if (span.folds) { event.stopPropagation(); turn(span); } });
    const note = noteOf(span);
    const name = el("span", { role: "gridcell", class: "name" }, fold, el("i", { class: `dot k-${span.kind}`, "aria-hidden": "true" }),
      el("span", { class: "label", title: shown(span.name) }, ...labelOf(span)), note ? el("span", { class: span.failed ? "note failed" : "note" }, note) : null);
    name.style.setProperty("--depth", Math.min(span.depth, 16));
    const line = el("div", { class: span.failed ? "line failed" : "line" }, name,
      el("span", { role: "gridcell", class: "track" }, bar),
      el("span", { role: "gridcell", class: "num took" }, duration(span.took)),
      el("span", { role: "gridcell", class: "num c-tokens" }, tokens(span.input, span.output)),
      el("span", { role: "gridcell", class: "num c-cost" }, span.cost === null ? "" : dollars(span.cost)));
    const row = el("div", { class: "row", "aria-level": span.depth + 1, "aria-expanded": span.folds ? String(!folded.has(span.n)) : null }, line);
    line.addEventListener("click", () => { rows.activate(rows.items.indexOf(span), false); toggle(span); grid.focus({ preventScroll: true }); });
    if (told.has(span.n)) tell(row, span);
    return row;
  }

  // One thing worth knowing: what went wrong or was found; of a tool's call what it is about.
  function noteOf(span) {
    const note = doc.texts[span.note];
    if (note && note !== "ok") return span.failed ? `failed: ${note.slice(0, 300)}` : note.slice(0, 300);
    const about = (span.args || []).map(([, number]) => doc.texts[number]).find((text) => text.length <= 120);
    return about || "";
  }

  function tell(row, span) {
    row.classList.add("told");
    row.append(el("div", { role: "gridcell", class: "detail" }, ...spanDetail(doc, span)));
  }

  function toggle(span, index = rows.items.indexOf(span)) {
    const row = rows.row(index);
    if (told.delete(span.n)) {
      row.lastChild.remove();
      row.classList.remove("told");
    } else {
      told.add(span.n);
      tell(row, span);
    }
  }

  function turn(span) {
    if (!folded.delete(span.n)) folded.add(span.n);
    update();
  }

  function key(name, span) {
    if (name === "ArrowRight" && span.folds && folded.has(span.n)) turn(span);
    else if (name === "ArrowLeft" && span.folds && !folded.has(span.n)) turn(span);
    else if (name === "ArrowLeft" && span.parent >= 0) rows.activate(rows.items.indexOf(spans[span.parent]));
    else return name === "ArrowRight" || name === "ArrowLeft";
    return true;
  }

  update();
  return rows;
}

// On a small screen the words go that every span of its kind has.
function labelOf(span) {
  const prefix = ["execute_tool ", "validator "].find((words) => span.name.startsWith(words));
  return prefix ? [el("span", { class: "prefix" }, prefix), span.name.slice(prefix.length)] : [span.name];
}

function spanDetail(doc, span) {
  const parts = [];
  if (span.failed && doc.texts[span.note]) parts.push(section("Error", longText(doc.texts[span.note], "bad")));
  if (span.args) parts.push(section("Arguments", ...argumentList(doc, span.args)));
  if ("result" in span) parts.push(section("Result", longText(doc.texts[span.result])));
  const history = (span.history || []).reduce((n, range) => n + range[1], 0);
  if (span.reply) parts.push(section("Reply", ...expand(span.reply).map((n) => message(doc, doc.messages[n]))));
  if (history) {
    const all = el("details", { class: "fold-out" }, el("summary", null, `${plural(history, "message")} ${span.kind === "agent" ? "in all" : "before it"}`));
    all.addEventListener("toggle", () => all.childElementCount < 2 && lazily(all, expand(span.history).map((n) => () => message(doc, doc.messages[n]))));
    parts.push(all);
  }
  if (span.attributes.length) {
    const all = el("details", { class: "fold-out" }, el("summary", null, plural(span.attributes.length, "attribute")));
    all.addEventListener("toggle", () => all.childElementCount < 2 && all.append(
      el("dl", null, ...span.attributes.flatMap(([name, text]) => [el("dt", null, name), el("dd", null, longText(doc.texts[text]))]))));
    all.open = !parts.length;
    parts.push(all);
  }
  return parts;
}

const expand = (ranges) => ranges.flatMap(([first, n]) => Array.from({ length: n }, (_, step) => first + step));
