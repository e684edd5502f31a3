// Charts as SVG. Each is described by its title, and its numbers can be opened as a table.

const N_SERIES = 6;
const DASHES = { solid: null, dashed: "7 4", dotted: "2 4", long: "14 4" };
const REFERENCE = { class: "axis", "stroke-dasharray": "1 3" };
const CHARACTER = 6.6; // of the text in a chart, its width, about

// As wide as there is room for, at which texts can still be read.
function fitting(width) {
  return Math.max(Math.min(width, document.documentElement.clientWidth - 40), 300);
}

function chart(block) {
  const kinds = { lines, bars, heat, texts };
  return kinds[block.kind](block);
}

function figureOf(title, picture, ...below) {
  return [element("figcaption", null, apart(title)), element("div", { class: "wide", tabindex: 0, role: "group", "aria-label": title }, picture), ...below];
}

function valuesAsTable(title, head, rows) {
  const align = head.map((_, place) => (place ? "right" : "left"));
  const fold = element("details", null, element("summary", null, "Values"));
  // Only made when it is opened: hundreds of cells for each chart would slow the page down.
  fold.addEventListener("toggle", () => {
    if (fold.childElementCount === 1) fold.append(wideTable(title, head, rows, align));
  });
  return fold;
}

function picture(width, height, title, ...children) {
  return drawn(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title },
    ...children
  );
}

function label(text, x, y, anchor, more) {
  return drawn("text", { x, y, "text-anchor": anchor, ...more }, text);
}

function cut(text, most) {
  const characters = [...String(text)];
  return characters.length <= most ? String(text) : characters.slice(0, most - 1).join("") + "…";
}

function lines(block) {
  const width = fitting(680), height = 330, left = 62, right = 16, top = 12, bottom = 52;
  const format = block.percent ? "percent" : "number";
  const scaled = block.x_scale === "log" ? Math.log10 : Number;
  const xs = block.x.map(scaled);
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const x = (value) => left + ((scaled(value) - first) / (last - first || 1)) * (width - left - right);
  const references = block.references || [];
  const every = block.series
    .flatMap((each) => [...each.y, ...(each.low || []), ...(each.high || [])])
    .concat(references.map((each) => each.y))
    .filter((value) => value !== null && value !== undefined);
  let low = Math.min(...every), high = Math.max(...every);
  const space = (high - low) * 0.05 || Math.abs(high) * 0.05 || 1;
  [low, high] = [low - space, high + space];
  const y = (value) => top + ((high - value) / (high - low)) * (height - top - bottom);
  const parts = [];
  for (const tick of roundTicks(low, high, 5)) {
    parts.push(drawn("line", { class: "grid", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }));
    parts.push(label(block.percent ? short(100 * tick) + " %" : short(tick), left - 7, y(tick) + 4, "end"));
  }
  parts.push(...xTicks(block, x, height - bottom));
  parts.push(label(block.x_label, (left + width - right) / 2, height - 8, "middle", { class: "quiet" }));
  const middle = (top + height - bottom) / 2;
  parts.push(label(block.y_label, 13, middle, "middle", { class: "quiet", transform: `rotate(-90 13 ${middle})` }));
  for (const each of references) {
    parts.push(drawn("line", { ...REFERENCE, x1: left, x2: width - right, y1: y(each.y), y2: y(each.y) }));
  }
  block.series.forEach((each, number) => {
    const color = "series-" + (number % N_SERIES);
    const known = block.x.map((_, i) => i).filter((i) => each.y[i] !== null && each.y[i] !== undefined);
    const path = (places, values) => places.map((i) => `${x(block.x[i]).toFixed(1)},${y(values[i]).toFixed(1)}`);
    if (each.low && each.high) {
      const inBand = known.filter((i) => each.low[i] !== null && each.high[i] !== null);
      const points = [...path(inBand, each.high), ...path(inBand.slice().reverse(), each.low)];
      parts.push(drawn("polygon", { class: "band " + color, points: points.join(" ") }));
    }
    parts.push(drawn("polyline", { ...lookOf(each, number), fill: "none", points: path(known, each.y).join(" ") }));
    for (const i of known) {
      const said = `${each.name}, ${shown(block.x[i], "number")}: ${withInterval(each.y[i], each.low && each.low[i], each.high && each.high[i], format)}`;
      parts.push(drawn("circle", { class: color, cx: x(block.x[i]), cy: y(each.y[i]), r: 3 }, drawn("title", null, said)));
    }
  });
  const entries = block.series.map((each, number) => element("li", null, sample(lookOf(each, number)), apart(each.name)));
  for (const each of references) entries.push(element("li", null, sample(REFERENCE), apart(each.name), ", " + shown(each.y, format)));
  const legend = element("ul", { class: "legend" }, entries);
  const rows = block.x.map((value, i) => [
    block.x_ticks ? block.x_ticks[i] : shown(value, "number"),
    ...block.series.map((each) => withInterval(each.y[i], each.low && each.low[i], each.high && each.high[i], format)),
  ]);
  const head = [block.x_label, ...block.series.map((each) => each.name)];
  return figureOf(block.title, picture(width, height, block.title, parts), legend, valuesAsTable(block.title, head, rows));
}

function lookOf(each, number) {
  return { class: "line series-" + (number % N_SERIES), "stroke-dasharray": DASHES[each.style] };
}

function sample(look) {
  return drawn("svg", { width: 26, height: 12, "aria-hidden": "true" }, drawn("line", { ...look, x1: 0, x2: 26, y1: 6, y2: 6 }));
}

// Those of the values themselves; what would run into the one before is left out.
function xTicks(block, x, bottom) {
  const parts = [];
  let free = -Infinity;
  block.x.forEach((value, i) => {
    const text = block.x_ticks ? block.x_ticks[i] : shown(value, "number");
    const half = (text.length * CHARACTER) / 2;
    parts.push(drawn("line", { class: "axis", x1: x(value), x2: x(value), y1: bottom, y2: bottom + 4 }));
    if (x(value) - half < free) return;
    free = x(value) + half + 5;
    parts.push(label(text, x(value), bottom + 18, "middle"));
  });
  return parts;
}

function bars(block, most = 680) {
  const width = fitting(most);
  const names = block.labels.map((each) => cut(each, 30));
  const left = 24 + Math.max(...names.map((each) => [...each].length)) * CHARACTER;
  const row = 21, top = 4, right = 60;
  const ends = [0, ...block.values, ...(block.low || []), ...(block.high || [])].filter((value) => value !== null);
  const low = Math.min(...ends), high = Math.max(...ends);
  const x = (value) => left + ((value - low) / (high - low || 1)) * (width - left - right);
  const parts = [];
  block.labels.forEach((name, i) => {
    const y = top + i * row, value = block.values[i];
    const said = withInterval(value, block.low && block.low[i], block.high && block.high[i], block.format);
    parts.push(label(names[i], left - 8, y + 14, "end", null));
    if (value === null) return;
    const color = low < 0 ? (value < 0 ? "negative" : "positive") : "bar";
    const from = Math.min(x(0), x(value));
    parts.push(drawn("rect", { class: color, x: from, y: y + 3, width: Math.max(Math.abs(x(value) - x(0)), 1), height: row - 7 }, drawn("title", null, name + ": " + said)));
    let end = Math.max(x(value), x(0));
    if (block.low && block.low[i] !== null && block.high[i] !== null) {
      const ends = { x1: x(block.low[i]), x2: x(block.high[i]), y1: y + 10, y2: y + 10 };
      parts.push(drawn("line", { class: "whisker-ground", ...ends }), drawn("line", { class: "whisker", ...ends }));
      end = Math.max(end, x(block.high[i]));
    }
    parts.push(label(shown(value, block.format), end + 6, y + 14, "start"));
  });
  parts.push(drawn("line", { class: "axis", x1: x(0), x2: x(0), y1: top, y2: top + names.length * row }));
  const height = top + names.length * row + 24;
  parts.push(label(block.x_label, (left + width - right) / 2, height - 6, "middle", { class: "quiet" }));
  const head = [block.y_label, block.x_label];
  const rows = block.labels.map((name, i) => [name, withInterval(block.values[i], block.low && block.low[i], block.high && block.high[i], block.format)]);
  return figureOf(block.title, picture(width, height, block.title, parts), valuesAsTable(block.title, head, rows));
}

function heat(block) {
  const rowNames = block.rows.map((each) => cut(each, 34)), columnNames = block.columns.map((each) => cut(each, 24));
  const longest = (names) => Math.max(...names.map((each) => [...each].length)) * CHARACTER;
  const written = block.values.flat().map((value) => shown(value, block.format));
  const cell = Math.max(24, Math.max(...written.map((text) => text.length)) * CHARACTER + 8);
  const side = Math.min(cell, 64), row = 24;
  const turned = longest(columnNames) > side;
  const left = longest(rowNames) + 30, top = turned ? longest(columnNames) * 0.72 + 16 : 22;
  const width = left + side * block.columns.length + (turned ? longest(columnNames) * 0.72 : 10);
  const height = top + row * block.rows.length + 24;
  const parts = [];
  columnNames.forEach((name, j) => {
    const x = left + side * (j + 0.5), y = top - 7;
    parts.push(label(name, x, y, turned ? "start" : "middle", turned ? { transform: `rotate(-45 ${x} ${y})` } : null));
  });
  block.values.forEach((values, i) => {
    parts.push(label(rowNames[i], left - 8, top + row * i + 16, "end"));
    values.forEach((value, j) => {
      if (value === null || value === undefined) return;
      const x = left + side * j, y = top + row * i;
      const said = `${block.rows[i]}, ${block.columns[j]}: ${shown(value, block.format)}`;
      parts.push(drawn("rect", { ...ground(value, block), x, y, width: side - 1, height: row - 1 }, drawn("title", null, said)));
      if (side * block.columns.length <= 1400) parts.push(label(shown(value, block.format), x + side / 2, y + 16, "middle", { "pointer-events": "none" }));
    });
  });
  parts.push(label(block.column_label || "", left, height - 6, "start", { class: "quiet" }));
  const rows = block.values.map((values, i) => [block.rows[i], ...values.map((value) => shown(value, block.format))]);
  return figureOf(block.title, picture(width, height, block.title, parts), valuesAsTable(block.title, [block.row_label || "", ...block.columns], rows));
}

// Of a cell: the text on it stays readable, so the colour is never full.
function ground(value, block) {
  const share = block.diverging ? value / Math.max(Math.abs(block.low), Math.abs(block.high), 1e-12) : (value - block.low) / (block.high - block.low || 1);
  const strength = Math.min(Math.max(Math.abs(share), 0), 1) * 0.62;
  return { class: block.diverging && share > 0 ? "positive" : "negative", opacity: strength.toFixed(3) };
}

function texts(block) {
  const items = block.texts.map((each) => {
    const largest = each.largest || 1;
    const tokens = each.tokens.map(([token, value, isSpecial]) => ({ text: token, share: value === null ? 0 : value / largest, said: value === null ? "" : short(value), isSpecial }));
    return element("li", null, element("span", { class: "number" }, short(each.largest)), element("div", null, element("div", { class: "quiet" }, apart(each.said)), sentence(tokens)));
  });
  return [element("figcaption", null, apart(block.title)), element("ol", { class: "sentences" }, items)];
}
