// Attempts: what each changed, what the validators said; then the files as they are stored.

function attempts(doc, box) {
  const result = doc.result;
  if (!result) {
    box.append(el("p", { class: "empty" }, "No result is stored: the run has not ended, was cancelled, or is older than the bucket keeps results."));
    return;
  }
  if (result.error) box.append(section("Error", longText(result.error, "bad")));
  if (doc.texts[result.output]) box.append(section("Answer", longText(doc.texts[result.output], "prose")));
  result.attempts.forEach((attempt, n) => box.append(attemptOf(doc, attempt, n === result.attempts.length - 1)));
  if (!result.attempts.length) box.append(el("p", { class: "empty" }, "The gate was never asked."));
  const notes = [...result.not_proven.map((text) => `not proven: ${text}`), ...result.skipped.map((one) => `not checked: ${one.validator}: ${one.reason}`)];
  if (notes.length) box.append(section("Not covered", el("ul", { class: "notes" }, ...notes.map((text) => el("li", null, text)))));
  box.append(section(`Files (${doc.files.length})`, ...doc.files.map((file) => fileOf(doc, file))));
  if (!doc.files.length) box.lastChild.append(el("p", { class: "none" }, "no files are stored"));
}

function attemptOf(doc, attempt, open) {
  const usage = attempt.usage && attempt.usage.requests ? [plural(attempt.usage.requests, "request"), tokens(attempt.usage.input_tokens, attempt.usage.output_tokens), dollars(attempt.usage.cost_usd)] : [];
  const facts = [...usage, attempt.seconds ? duration(attempt.seconds) : ""].filter(Boolean).join(" · ");
  const checks = Object.entries(attempt.validators).map(([name, status]) => badge(`${name} ${status}`, `v-${status}`));
  const body = [el("p", { class: "checks" }, ...checks)];
  if (attempt.findings.length) body.push(el("ol", { class: "findings" }, ...attempt.findings.map(findingOf)));
  body.push(...attempt.diff.map((file) => diffOf(doc, file)));
  if (!attempt.diff.length) body.push(el("p", { class: "none" }, "no diff was recorded"));
  const failed = Object.values(attempt.validators).some((status) => status === "findings" || status === "error");
  return el("details", { class: failed ? "attempt failed" : "attempt", open: open || failed },
    el("summary", null, el("strong", null, `Attempt ${attempt.n}`), " ", badge(failed ? "not clean" : "clean", failed ? "warn" : "s-ok"), el("span", { class: "facts" }, facts), el("code", { class: "hash" }, attempt.tree.slice(0, 19))),
    ...body);
}

function findingOf(finding) {
  const place = finding.file ? `${finding.file}${finding.line ? `:${finding.line}` : ""}` : "whole tree";
  return el("li", null, badge(finding.severity, `sev-${finding.severity}`), el("code", null, place), " ", el("span", { class: "rule" }, `${finding.validator} ${finding.rule}`),
    el("p", null, finding.message), finding.hint ? el("p", { class: "hint" }, finding.hint) : null, finding.url ? el("p", { class: "hint" }, finding.url) : null);
}

function diffOf(doc, file) {
  return el("details", { class: "file", open: true },
    el("summary", null, el("code", null, file.path || "diff"), file.added ? el("span", { class: "plus" }, `+${file.added}`) : null, file.removed ? el("span", { class: "minus" }, `−${file.removed}`) : null),
    longText(doc.texts[file.text], "diff", diffLines));
}

function fileOf(doc, file) {
  const box = el("details", { class: "file" }, el("summary", null, el("code", null, file.path), el("span", { class: "facts" }, size(file.bytes))));
  box.addEventListener("toggle", () => box.childElementCount < 2 && box.append(longText(doc.texts[file.text])));
  return box;
}
