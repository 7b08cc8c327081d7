// The list, or one run; which of them is said by the address: `#RUN_ID/TAB`.

const page = data("runs");
const byId = new Map(page.runs.map((run) => [run.run_id, run]));
const TABS = [["waterfall", "Waterfall", waterfall], ["conversation", "Conversation", conversation], ["attempts", "Attempts and files", attempts]];
let spanRows = null;
let current = null; // the run that is shown, and its data

find("heading").textContent = shown(page.heading);
find("written").textContent = `written ${page.written}`;
const list = runList(page, (run) => (location.hash = `${encodeURIComponent(run.run_id)}/waterfall`));

function show() {
  const [id, tab] = location.hash.slice(1).split("/");
  let run;
  try {
    run = byId.get(decodeURIComponent(id));
  } catch {
    run = undefined; // an address that somebody typed
  }
  const left = current && !run && current.run;
  find("list").hidden = Boolean(run);
  find("run").hidden = !run;
  document.title = run ? `${shown(run.run_id)} · tfkit traces` : "tfkit traces";
  if (run) return showRun(run, TABS.some(([key]) => key === tab) ? tab : "waterfall");
  clear();
  if (left) {
    const index = list.items.indexOf(left);
    if (index >= 0) list.activate(index);
    list.box.focus({ preventScroll: true });
  }
}

function clear() {
  if (spanRows) spanRows.gone();
  spanRows = current = null;
  unmade.clear();
  find("run").replaceChildren();
}

function showRun(run, tab) {
  if (!current || current.run !== run) {
    clear();
    current = { run, doc: run.detail === null ? null : data(`detail-${run.detail}`), panels: {} };
    find("run").replaceChildren(...runHead(run, current.doc));
    window.scrollTo(0, 0);
    if (!current.doc) return find("back").focus();
  }
  const doc = current.doc;
  if (!doc) return;
  for (const [key, , draw] of TABS) {
    const chosen = key === tab;
    const panel = find(`panel-${key}`);
    const button = find(`tab-${key}`);
    button.setAttribute("aria-selected", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
    panel.hidden = !chosen;
    if (chosen && !panel.firstChild) {
      const made = draw(doc, panel);
      if (key === "waterfall") spanRows = made;
    }
  }
  if (!find("run").contains(document.activeElement)) find(`tab-${tab}`).focus({ preventScroll: true });
}

function runHead(run, doc) {
  const facts = [["began", run.start ? `${run.start.replace("T", " ").slice(0, 19)} UTC` : "–"], ["took", duration(run.seconds)], ["model", run.model || "–"],
    ["tokens in / out", tokens(run.input_tokens, run.output_tokens) || "0"], ["cost", dollars(run.cost_usd)], ["tool calls", run.tool_calls], ["spans", run.spans]];
  const head = [
    el("nav", { "aria-label": "Back" }, el("a", { id: "back", href: "#" }, "← Runs")),
    el("h1", null, el("code", null, run.run_id), " ", statusBadge(run.status), doc && doc.pending ? badge("pending") : null, doc && !doc.complete ? badge("chain not complete", "warn") : null),
    el("dl", { class: "run-facts" }, ...facts.map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value)))),
  ];
  if (!doc) {
    return [...head, el("p", { class: "empty" }, "This page tells only the newest runs in full. This one alone: ", el("code", null, `tfkit traces --run ${run.run_id} --html FILE`))];
  }
  const prompt = doc.result ? doc.texts[doc.result.prompt] : doc.prompt;
  if (prompt) head.push(el("div", { class: "asked" }, longText(prompt, "prose")));
  const tabs = TABS.map(([key, title]) => el("button", { type: "button", role: "tab", id: `tab-${key}`, "aria-controls": `panel-${key}`,
    onclick: () => go(run, key) }, title));
  const bar = el("div", { class: "tabs", role: "tablist", "aria-label": "What to show of the run" }, ...tabs);
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length;
    event.preventDefault();
    tabs[next].focus();
    go(run, TABS[next][0]);
  });
  return [...head, bar, ...TABS.map(([key]) => el("div", { id: `panel-${key}`, class: `panel ${key}`, role: "tabpanel", "aria-labelledby": `tab-${key}`, hidden: true }))];
}

// Between the tabs of a run nothing is added to the browser's history: going back leads to the list.
function go(run, tab) {
  history.replaceState(null, "", `#${encodeURIComponent(run.run_id)}/${tab}`);
  showRun(run, tab);
}

window.addEventListener("hashchange", show);
document.addEventListener("keydown", (event) => {
  const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    const box = current ? find("panel-waterfall").querySelector("input") : find("search");
    if (box && box.offsetParent) {
      event.preventDefault();
      box.focus();
    }
  } else if (event.key === "Escape" && !typing && current) location.hash = "";
});
show();
