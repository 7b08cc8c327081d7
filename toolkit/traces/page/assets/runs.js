// The list of runs: totals with sparklines, filters, order.

const COLUMNS = [
  ["status", "status", (run) => KNOWN.indexOf(run.status)],
  ["start", "began", (run) => run.start],
  ["run_id", "run", (run) => run.run_id],
  ["model", "model", (run) => run.model],
  ["tokens", "tokens in / out", (run) => run.input_tokens + run.output_tokens],
  ["cost", "cost", (run) => (run.cost_usd === null ? -1 : run.cost_usd)],
  ["tools", "tools", (run) => run.tool_calls],
  ["spans", "spans", (run) => run.spans],
  ["took", "took", (run) => run.seconds],
];
const BY_NUMBER = new Set(["tokens", "cost", "tools", "spans", "took"]);
const BUCKETS = 40;

function runList(page, open) {
  let order = "start";
  let down = true;
  const grid = find("runs-grid");
  const body = el("div", { role: "presentation" });
  const heads = COLUMNS.map(([key, title]) => el("span", { role: "columnheader", class: `c-${key}` },
    el("button", { type: "button", onclick: () => sortBy(key) }, title)));
  grid.append(el("div", { role: "rowgroup" }, el("div", { class: "head", role: "row" }, ...heads)), body);
  const rows = new Rows(grid, { label: "Runs; Enter opens one", role: "grid", make: runRow, open: (run) => open(run) });

  function runRow(run) {
    return el("div", { class: run.detail === null ? "row short" : "row", onclick: (event) => event.ctrlKey || event.metaKey || open(run) },
      el("span", { role: "gridcell", class: "c-status" }, statusBadge(run.status)),
      el("span", { role: "gridcell", class: "c-start", title: `${run.start} (UTC)` }, moment(run.start)),
      el("span", { role: "gridcell", class: "c-run_id" },
        el("a", { href: `#${encodeURIComponent(run.run_id)}/waterfall`, tabindex: -1 }, el("code", null, run.run_id)),
        run.pending ? el("abbr", { title: "not all of it is delivered yet" }, "*") : null,
        el("span", { class: "prompt" }, run.prompt)),
      el("span", { role: "gridcell", class: "c-model" }, run.model),
      el("span", { role: "gridcell", class: "c-tokens" }, tokens(run.input_tokens, run.output_tokens)),
      el("span", { role: "gridcell", class: "c-cost" }, dollars(run.cost_usd)),
      el("span", { role: "gridcell", class: "c-tools" }, run.tool_calls),
      el("span", { role: "gridcell", class: "c-spans" }, run.spans),
      el("span", { role: "gridcell", class: "c-took" }, duration(run.seconds)));
  }

  function sortBy(key) {
    down = order === key ? !down : BY_NUMBER.has(key) || key === "start";
    order = key;
    find("order").value = key;
    update();
  }

  function update() {
    const words = find("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = page.runs.filter((run) => {
      const text = `${run.run_id} ${run.model} ${run.status} ${run.prompt}`.toLowerCase();
      return (!find("status").value || run.status === find("status").value)
        && (!find("model").value || run.model === find("model").value)
        && words.every((word) => text.includes(word));
    });
    const value = COLUMNS.find(([key]) => key === order)[2];
    const compare = (a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0);
    chosen.sort((a, b) => (down ? -1 : 1) * compare(a, b) || (a.run_id < b.run_id ? 1 : -1));
    COLUMNS.forEach(([key], n) => heads[n].setAttribute("aria-sort", key !== order ? "none" : down ? "descending" : "ascending"));
    find("count").textContent = chosen.length === page.runs.length ? plural(chosen.length, "run")
      : `${chosen.length.toLocaleString("en")} of ${plural(page.runs.length, "run")}`;
    rows.set(chosen);
    if (!chosen.length) body.append(el("p", { class: "empty" }, page.runs.length ? "No run matches the filter." : "No runs in this window."));
    find("tiles").replaceChildren(...tiles(chosen));
  }

  const choices = (id, all, values) => find(id).append(el("option", { value: "" }, all),
    ...[...new Set(values)].sort().map((value) => el("option", { value }, value || "(none)")));
  choices("status", "any status", page.runs.map((run) => run.status));
  choices("model", "any model", page.runs.map((run) => run.model));
  find("order").append(...COLUMNS.map(([key, title]) => el("option", { value: key }, `by ${title}`)));
  find("order").value = order;
  find("order").addEventListener("change", () => sortBy(find("order").value));
  for (const id of ["search", "status", "model"]) find(id).addEventListener("input", update);
  update();
  return rows;
}

// -- totals ------------------------------------------------------------------------------------

function tiles(runs) {
  const sum = (value) => runs.reduce((total, run) => total + (value(run) || 0), 0);
  const ok = runs.filter((run) => run.status === "ok").length;
  const ended = runs.filter((run) => run.status !== "running" && run.status !== "queued").length;
  const took = runs.map((run) => run.seconds).sort((a, b) => a - b);
  const at = (share) => (took.length ? duration(took[Math.min(took.length - 1, Math.floor(share * took.length))]) : "–");
  const unpriced = runs.filter((run) => run.cost_usd === null).length;
  const per = spread(runs);
  const share = (n) => (ended ? `${Math.round((100 * n) / ended)} %` : "–");
  return [
    tile("Runs", runs.length.toLocaleString("en"), `${share(ok)} ended ok`, per((run) => 1), per((run) => run.status !== "ok" && run.status !== "running" && run.status !== "queued"), "failed"),
    tile("Tokens in", count(sum((run) => run.input_tokens)), "", per((run) => run.input_tokens)),
    tile("Tokens out", count(sum((run) => run.output_tokens)), "", per((run) => run.output_tokens)),
    tile("Cost", dollars(runs.length === unpriced ? null : sum((run) => run.cost_usd)), unpriced ? `${plural(unpriced, "run")} without a price` : "", per((run) => run.cost_usd)),
    tile("Median time", at(0.5), `p95 ${at(0.95)}`, per((run) => run.seconds, median)),
  ];
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] || 0;

// A sum, or what `fold` makes, of each of the equal parts of the time between the first run and the last.
function spread(runs) {
  const times = runs.map((run) => Date.parse(run.start) || 0);
  const first = times.reduce((a, b) => Math.min(a, b), Infinity);
  const width = (times.reduce((a, b) => Math.max(a, b), 0) - first) / (BUCKETS - 1) || 1;
  return (value, fold = (values) => values.reduce((a, b) => a + b, 0)) => {
    const parts = Array.from({ length: BUCKETS }, () => []);
    runs.forEach((run, n) => parts[Math.min(BUCKETS - 1, Math.floor((times[n] - first) / width))].push(Number(value(run)) || 0));
    return parts.map(fold);
  };
}

function tile(title, value, note, sums, bad, badName) {
  const top = Math.max(...sums);
  const bars = (values, kind) => svg("path", { class: kind, d: values.map((v, n) =>
    (v > 0 ? `M${n} 20v${-Math.max(1, (v / top) * 19).toFixed(2)}h.8v${Math.max(1, (v / top) * 19).toFixed(2)}z` : "")).join("") });
  const drawing = svg("svg", { class: "spark", viewBox: `0 0 ${BUCKETS} 20`, preserveAspectRatio: "none", "aria-hidden": "true" },
    bars(sums, "bars"), ...(bad ? [bars(bad, badName)] : []));
  return el("div", { class: "tile" }, el("h2", null, title), el("p", { class: "figure" }, value), drawing, el("p", { class: "note" }, note || "\u00a0"));
}
