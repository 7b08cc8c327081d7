// The messages of a run in the order in which they came.

function conversation(doc, box) {
  if (!doc.conversation.length) {
    box.append(el("p", { class: "empty" }, "No contents were recorded: the run made no model call, or its contents are switched off."));
    return;
  }
  const made = doc.conversation.map((entry) => () => {
    const call = entry.call === undefined ? null : doc.spans[entry.call];
    if ("rewritten" in entry) return el("p", { class: "rewritten" }, `Here the history was rewritten: ${plural(entry.rewritten, "message")} replaced.`);
    return message(doc, doc.messages[entry.message], call);
  });
  lazily(box, made);
}

const unmade = new Set(); // what is still to be made of the run that is shown, should it be printed
window.addEventListener("beforeprint", () => unmade.forEach((make) => make()));

// Appends what the functions make, a screenful at a time, as the reader comes near the end.
function lazily(box, made, step = 30) {
  const end = el("div", { class: "end" });
  box.append(end);
  let next = 0;
  const more = (upto) => {
    for (const stop = Math.min(made.length, upto); next < stop; next += 1) end.before(made[next]());
    if (next >= made.length) end.remove();
  };
  const watch = new IntersectionObserver((seen) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    watch.unobserve(end);
    more(next + step);
    if (end.isConnected) watch.observe(end);
  }, { rootMargin: "1200px" });
  more(step);
  if (next < made.length) watch.observe(end);
  unmade.add(() => more(made.length));
}

function message(doc, found, call = null) {
  const facts = call ? [call.name, duration(call.took), call.input || call.output ? `${tokens(call.input, call.output)} tokens` : "", call.cost === null ? "" : dollars(call.cost)] : [];
  if (found.reason && !["stop", "tool_call"].includes(found.reason)) facts.push(`ended: ${found.reason}`);
  const role = found.parts.length && found.parts.every((part) => part.kind === "result") ? "tool" : found.role || "unknown";
  const known = ["system", "user", "assistant", "tool"].includes(role) ? role : "other";
  const body = found.parts.map((part) => partOf(doc, part));
  const head = [el("span", { class: "role" }, role), el("span", { class: "facts" }, facts.filter(Boolean).join(" · "))];
  if (body.length === 1 && body[0].firstChild && body[0].firstChild.className === "tool") head.splice(1, 0, body[0].firstChild);
  if (known !== "system") return el("article", { class: `message m-${known}` }, el("header", null, ...head), ...body);
  return el("details", { class: "message m-system" }, el("summary", null, ...head), ...body);
}

function partOf(doc, part) {
  if (part.kind === "call") {
    return el("div", { class: "call" }, el("p", { class: "tool" }, "calls ", el("code", null, part.name), part.args.length ? " " : "() ", el("small", null, part.id)), ...(part.args.length ? argumentList(doc, part.args) : []));
  }
  if (part.kind === "result") {
    return el("div", { class: "call" }, el("p", { class: "tool" }, el("code", null, part.name), " answers ", el("small", null, part.id)), longText(doc.texts[part.text]));
  }
  if (part.kind === "thinking") return el("div", { class: "thinking" }, el("p", { class: "tool" }, "thinks"), longText(doc.texts[part.text], "prose"));
  return longText(doc.texts[part.text], part.kind === "text" ? "prose" : null);
}

// Short values stand beside their names, code stands below.
function argumentList(doc, args) {
  if (!args.length) return [el("p", { class: "none" }, "no arguments")];
  return args.map(([name, number]) => {
    const text = doc.texts[number];
    const short = text.length <= 120 && !text.includes("\n");
    return el("div", { class: short ? "arg short" : "arg" }, name ? el("span", { class: "arg-name" }, name) : null, short ? el("code", null, text) : longText(text));
  });
}
