// A list of any length: rows are made in chunks, when a chunk comes near the screen, when the keyboard
// reaches it, or for printing. One row is active; the box keeps the focus. The box's last child takes the rows.

const CHUNK = 60;
const drawn = new Set(); // the lists that are in the page

class Rows {
  constructor(box, { label, role, make, open, key }) {
    const body = box.lastElementChild;
    Object.assign(this, { box, body, make, open, key, items: [], active: -1 });
    box.setAttribute("role", role);
    box.setAttribute("aria-label", label);
    box.tabIndex = 0;
    box.addEventListener("keydown", (event) => this.press(event));
    box.addEventListener("focus", () => this.active < 0 && this.items.length && this.activate(0, false));
    this.watch = new IntersectionObserver(
      (seen) => seen.forEach((entry) => entry.isIntersecting && this.build(entry.target)),
      { rootMargin: "1000px" },
    );
    drawn.add(this);
  }

  set(items, active = -1) {
    this.watch.disconnect();
    this.items = items;
    this.box.setAttribute("aria-rowcount", items.length);
    this.chunks = [];
    for (let first = 0; first < items.length; first += CHUNK) {
      const chunk = el("div", { class: "chunk", role: "rowgroup" });
      chunk.style.setProperty("--rows", Math.min(CHUNK, items.length - first));
      chunk.first = first;
      this.chunks.push(chunk);
      this.watch.observe(chunk);
    }
    this.body.replaceChildren(...this.chunks);
    this.active = -1;
    this.box.removeAttribute("aria-activedescendant");
    if (this.chunks.length) this.build(this.chunks[0]);
    if (active >= 0) this.activate(active, false);
  }

  build(chunk) {
    if (chunk.firstChild) return;
    const rows = this.items.slice(chunk.first, chunk.first + CHUNK).map((item, step) => {
      const row = this.make(item, chunk.first + step);
      row.id = `${this.box.id}-${chunk.first + step}`;
      row.setAttribute("role", "row");
      row.setAttribute("aria-rowindex", chunk.first + step + 1);
      return row;
    });
    chunk.append(...rows);
    this.watch.unobserve(chunk);
  }

  row(index) {
    const chunk = this.chunks[Math.floor(index / CHUNK)];
    this.build(chunk);
    return chunk.children[index % CHUNK];
  }

  activate(index, scroll = true) {
    if (this.active >= 0) this.row(this.active).classList.remove("active");
    this.active = Math.max(0, Math.min(index, this.items.length - 1));
    const row = this.row(this.active);
    row.classList.add("active");
    this.box.setAttribute("aria-activedescendant", row.id);
    if (scroll) row.scrollIntoView({ block: "nearest" });
  }

  press(event) {
    if (event.target !== this.box || event.ctrlKey || event.metaKey || event.altKey || !this.items.length) return;
    const page = Math.max(5, Math.floor(window.innerHeight / 60));
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) this.activate(Math.max(this.active, -1) + steps[event.key]);
    else if ((event.key === "Enter" || event.key === " ") && this.active >= 0) this.open(this.items[this.active], this.active);
    else if (!(this.key && this.active >= 0 && this.key(event.key, this.items[this.active], this.active))) return;
    event.preventDefault();
  }

  gone() {
    this.watch.disconnect();
    drawn.delete(this);
  }
}

window.addEventListener("beforeprint", () => drawn.forEach((list) => (list.chunks || []).forEach((c) => list.build(c))));
