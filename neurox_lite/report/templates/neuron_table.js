// The table of a model's neurons: sorted, filtered, a page of rows at a time.

const ROWS = 100;
const MOST_LETTERS = 90; // of a text in a cell
const MOST_CHOICES = 60; // a column of texts with so many different ones is chosen from a list

// model: its number; place: the element that the table fills.
function neuronTable(data, model, place) {
  const columns = [{ key: "id", title: data.unit_name === "heads" ? "head" : "neuron", kind: "text", values: data.ids, help: "layer:unit, its layer and its place in it" }, { key: "layer", title: "layer", kind: "count", values: data.layers, help: "" }, ...data.columns];
  const searched = data.ids.map((_, i) => columns.filter((each) => each.kind === "text").map((each) => each.values[i] || "").join("\n").toLowerCase());
  const state = { order: data.ids.map((_, i) => i), sorted: null, descending: false, page: 0 };
  const rows = element("tbody"), count = element("p", { role: "status" });
  const previous = element("button", { type: "button", onclick: () => turn(-1) }, "Previous rows");
  const next = element("button", { type: "button", onclick: () => turn(1) }, "Next rows");
  const filters = filterForm();
  const heads = columns.map((column) => {
    const button = element("button", { type: "button", title: column.help || null, onclick: () => sortBy(column) }, apart(column.title));
    return element("th", { scope: "col", class: isNumber(column) ? "right" : "left" }, button);
  });

  function isNumber(column) {
    return column.kind !== "text";
  }

  function filterForm() {
    const text = element("input", { type: "search", name: "text", placeholder: "word, description, 3:17 …" });
    const lists = columns.filter((column) => column.key === "layer" || (column.kind === "text" && column.key !== "id")).map(listOf).filter(Boolean);
    const numeric = columns.filter((column) => isNumber(column) && column.key !== "layer");
    const which = element("select", { name: "column" }, numeric.map((column) => element("option", { value: column.key }, column.title)));
    const from = element("input", { type: "number", step: "any", name: "from" }), to = element("input", { type: "number", step: "any", name: "to" });
    const narrow = window.matchMedia("(max-width: 40rem)");
    const others = element("details", { open: !narrow.matches }, element("summary", null, "Filters"),
      element("div", null, lists.map(({ column, list }) => element("label", null, column.title, list)),
        numeric.length ? element("fieldset", null, element("label", null, "Range of", which), element("label", null, "from", from), element("label", null, "to", to)) : null,
        element("button", { type: "reset" }, "Clear")));
    narrow.addEventListener("change", () => { others.open = !narrow.matches; });
    const form = element("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() },
      element("label", null, "Search", text), others);
    form.addEventListener("input", filter);
    form.addEventListener("reset", () => setTimeout(filter));
    return { form, text, lists, which, from, to };
  }

  function listOf(column) {
    const values = [...new Set(column.values)].filter((value) => value !== null && value !== "");
    if (values.length < 2 || values.length > MOST_CHOICES) return null;
    values.sort((a, b) => (a < b ? -1 : 1));
    const options = values.map((value) => element("option", { value: String(value) }, cut(value, 40)));
    return { column, list: element("select", { name: column.key }, element("option", { value: "" }, "all"), options) };
  }

  function filter() {
    const query = filters.text.value.trim().toLowerCase();
    const chosen = filters.lists.filter(({ list }) => list.value !== "");
    const ranged = columns.find((column) => column.key === filters.which.value);
    const from = filters.from.value === "" ? -Infinity : Number(filters.from.value);
    const to = filters.to.value === "" ? Infinity : Number(filters.to.value);
    const isOpen = from === -Infinity && to === Infinity;
    const scale = ranged && ranged.kind === "percent" ? 100 : 1;
    state.order = [];
    for (let i = 0; i < data.ids.length; i++) {
      if (query && !searched[i].includes(query)) continue;
      if (!chosen.every(({ column, list }) => String(column.values[i]) === list.value)) continue;
      if (!isOpen) {
        const value = ranged.values[i];
        if (value === null || value * scale < from || value * scale > to) continue;
      }
      state.order.push(i);
    }
    sort();
    // Who types a whole name looks for that neuron; it is also part of longer ones.
    const named = data.ids.indexOf(query);
    if (state.order.includes(named)) state.order = [named, ...state.order.filter((i) => i !== named)];
    state.page = 0;
    show();
  }

  function sortBy(column) {
    // The first of a ranking is 1, of other numbers the largest is looked for.
    const downFirst = isNumber(column) && column.kind !== "rank" && column.key !== "layer";
    state.descending = state.sorted === column ? !state.descending : downFirst;
    state.sorted = column;
    sort();
    state.page = 0;
    show();
  }

  function sort() {
    if (!state.sorted) return;
    const { values, key } = state.sorted, sign = state.descending ? -1 : 1;
    const sortable = key === "id" ? data.ids.map((id) => { const [layer, unit] = id.split(":").map(Number); return layer * 1e9 + unit; }) : values;
    const isMissing = (i) => sortable[i] === null || sortable[i] === undefined || sortable[i] === "";
    state.order.sort((a, b) => {
      if (isMissing(a) || isMissing(b)) return isMissing(a) - isMissing(b) || a - b;
      return sortable[a] < sortable[b] ? -sign : sortable[a] > sortable[b] ? sign : a - b;
    });
  }

  function turn(step) {
    state.page += step;
    show();
    place.scrollIntoView();
  }

  function show() {
    const first = state.page * ROWS, last = Math.min(first + ROWS, state.order.length);
    rows.replaceChildren(...state.order.slice(first, last).map((i) => element("tr", null, columns.map((column) => cellOf(column, i)))));
    columns.forEach((column, j) => {
      if (column === state.sorted) heads[j].setAttribute("aria-sort", state.descending ? "descending" : "ascending");
      else heads[j].removeAttribute("aria-sort");
    });
    previous.disabled = first === 0;
    next.disabled = last >= state.order.length;
    const all = data.ids.length.toLocaleString("en-US");
    count.textContent = state.order.length ? `${(first + 1).toLocaleString("en-US")} to ${last.toLocaleString("en-US")} of ${state.order.length.toLocaleString("en-US")} ${data.unit_name}` + (state.order.length < data.ids.length ? ` that match, of ${all}` : "") : `None of ${all} ${data.unit_name} match; clear the filters to see all.`;
  }

  function cellOf(column, i) {
    const value = column.values[i];
    if (column.key === "id") return element("th", { scope: "row" }, neuronLink(model, value));
    if (!isNumber(column)) return element("td", { class: "text", title: value && value.length > MOST_LETTERS ? value : null }, value === null ? "" : apart(cut(value, MOST_LETTERS)));
    const said = (each) => (column.kind === "number" && each !== null ? aligned(each) : shown(each, column.kind));
    const cell = element("td", { class: "right" }, said(value));
    if (value !== null && column.low && column.low[i] !== null) cell.append(element("span", { class: "quiet" }, ` (${said(column.low[i])} to ${said(column.high[i])})`));
    return cell;
  }

  function asCsv() {
    const parts = columns.flatMap((column) => [[column.title, column.values], ...(column.low ? [[column.title + " low", column.low], [column.title + " high", column.high]] : [])]);
    return csv([parts.map(([title]) => title), ...state.order.map((i) => parts.map(([, values]) => values[i]))]);
  }

  const whole = data.of > data.ids.length ? element("p", { class: "quiet" }, `The first ${data.ids.length.toLocaleString("en-US")} of ${data.of.toLocaleString("en-US")} ${data.unit_name}${data.ordered_by ? ", by the ranking of " + data.ordered_by : ""}.`) : null;
  place.replaceChildren(...[
    element("h2", { tabindex: -1 }, data.unit_name[0].toUpperCase() + data.unit_name.slice(1) + " of ", apart(data.model)),
    whole,
    filters.form,
    element("details", null, element("summary", null, "What the columns mean"), element("dl", { class: "facts" }, columns.filter(({ help }) => help).map(({ title, help }) => element("div", null, element("dt", null, apart(title)), element("dd", null, apart(help)))))),
    element("div", { class: "bar-of-buttons" }, count, previous, next, element("button", { type: "button", onclick: () => download(fileName(model, "neurons"), asCsv()) }, "Download as CSV")),
    element("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Table of " + data.unit_name },
      element("table", { class: "neurons" }, element("thead", null, element("tr", null, heads)), rows)),
  ].filter(Boolean));
  filter();

  // Those before and after one in the order that is shown.
  return { model, columns, neighbours(i) {
    const at = state.order.indexOf(i);
    return at < 0 ? [] : [state.order[at - 1], state.order[at + 1]];
  } };
}
