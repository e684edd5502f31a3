// The page of one neuron.

const SIGNS = ["highest", "lowest"];

// one: what is packed for it; sentences: of all neurons; table: of neuronTable; i: its place;
// isHere: whether a neuron of the same model is in this report.
function neuronPage(data, table, i, one, sentences, isHere) {
  const id = data.ids[i];
  const bands = one.bands.map((band) => ({ name: band.name, examples: band.examples.map((each) => exampleOf(one, each, sentences)) }));
  const copied = element("button", { type: "button", onclick: () => copy(neuronText(data, table, i, one, bands), copied) }, "Copy as text");
  const parts = [
    element("div", { class: "bar-of-buttons" }, element("a", { href: addressOf(table.model, "neurons") }, "All " + data.unit_name), ...neighbourLinks(data, table, i), copied,
      bands.length ? element("button", { type: "button", onclick: () => download(fileName(table.model, `neuron-${id.replace(":", "-")}`), neuronCsv(id, bands)) }, "Download as CSV") : null),
    element("h2", { tabindex: -1 }, nameOf(data, id)),
    ...descriptionParts(one),
    rankFigures(data, table, i),
    inColumns(histogram(one), ...weights(data, one)),
    ...(bands.length ? [element("h3", null, "Where it is high, where it is low"), legendOf(data, one), ...bands.map(bandPart)] : []),
    inColumns(...words(one)),
    inColumns(tokens(one), twins(one, table.model, isHere), effects(one), factList(one)),
  ];
  return parts.filter(Boolean);
}

function nameOf(data, id) {
  const name = `${data.unit_name === "heads" ? "Head" : "Neuron"} ${id}`;
  return models.length > 1 ? `${name} of ${data.model}` : name;
}

function inColumns(...parts) {
  const known = parts.filter(Boolean);
  return known.length ? element("div", { class: "columns" }, known) : null;
}

// exact: the activation at the word that counts; those of the others are known to a level.
function exampleOf(one, [number, peak, first, levels, exact], sentences) {
  const all = sentences[number];
  const words = [...levels].map((character, j) => {
    const isPeak = first + j === peak, level = character.charCodeAt(0) - 80;
    // A word without activation, as one that was cut off, has a space for its level.
    if (character === " ") return { text: all[first + j], share: 0, value: null, said: "", isPeak };
    const value = isPeak ? exact : one.median + one.scale * level;
    return { text: all[first + j], share: level / 45, value, said: short(value), isPeak };
  });
  return { words, peak: words[peak - first], before: first > 0, after: first + words.length < all.length };
}

function neighbourLinks(data, table, i) {
  const [before, after] = table.neighbours(i);
  const link = (place, text) => (place === undefined ? null : element("a", { href: addressOf(table.model, data.ids[place]), rel: text.toLowerCase() }, `${text}: ${data.ids[place]}`));
  return [link(before, "Previous"), link(after, "Next")].filter(Boolean);
}

function descriptionParts(one) {
  if (!one.descriptions) return [];
  return SIGNS.map((sign) => {
    const { found, none } = one.descriptions[sign];
    const where = sign === "highest" ? "High" : "Low";
    if (!found.length) return element("p", { class: "described" }, `${where}: `, element("span", { class: "quiet" }, "no description (", apart(none), ")"));
    const each = found.map((description) => element("span", null, element("b", null, apart(description.text)), element("span", { class: "quiet" }, ` (of ${description.level === "word" ? "the word" : "the sentence"}; AUPRC ${withInterval(description.auprc, description.low, description.high, "number")}, by chance ${short(description.chance)})`)));
    return element("p", { class: "described" }, `${where}: `, each.flatMap((text, j) => (j ? ["; ", text] : [text])));
  });
}

function rankFigures(data, table, i) {
  const ranks = table.columns.filter((column) => column.kind === "rank");
  if (!ranks.length) return null;
  return element("dl", { class: "figures" }, ranks.map((column) => element("div", null, element("dt", null, apart(column.title)),
    element("dd", null, element("b", null, column.values[i] === null ? "none" : shown(column.values[i], "rank")), element("span", { class: "quiet" }, ` of ${shown(data.of, "count")}`), column.low && column.low[i] !== null ? element("span", { class: "quiet" }, ` (${shown(column.low[i], "rank")} to ${shown(column.high[i], "rank")})`) : null))));
}

function factList(one) {
  const facts = one.facts.filter(([, text]) => text !== "" && text !== null);
  if (!facts.length) return null;
  return titled("Figures", element("dl", { class: "facts" }, facts.map(([name, text]) => element("div", null, element("dt", null, name), element("dd", null, apart(text))))));
}

function titled(title, ...parts) {
  return element("section", null, element("h3", null, title), ...parts);
}

function histogram(one) {
  if (!one.histogram) return null;
  const { counts, low, high } = one.histogram;
  const width = fitting(420), height = 150, left = 8, bottom = 22, most = Math.max(...counts, 1);
  const step = (width - 2 * left) / counts.length;
  // Of a root, so that the few words at the ends can be seen.
  const tall = (count) => Math.sqrt(count / most) * (height - bottom - 6);
  const parts = counts.map((count, j) => drawn("rect", { class: "bar", x: left + j * step, width: Math.max(step - 1, 1), y: height - bottom - tall(count), height: tall(count) },
    drawn("title", null, `${short(low + ((high - low) * j) / counts.length)} to ${short(low + ((high - low) * (j + 1)) / counts.length)}: ${count} words`)));
  const x = (value) => left + ((value - low) / (high - low || 1)) * (width - 2 * left);
  parts.push(drawn("line", { class: "whisker", x1: x(one.median), x2: x(one.median), y1: 4, y2: height - bottom }, drawn("title", null, "median " + short(one.median))));
  parts.push(drawn("line", { class: "axis", x1: left, x2: width - left, y1: height - bottom, y2: height - bottom }));
  parts.push(label(short(low), left, height - 6, "start"), label(short(high), width - left, height - 6, "end"));
  const middle = Math.min(Math.max(x(one.median), 90), width - 90);
  parts.push(label("median " + short(one.median), middle, height - 6, "middle", { class: "quiet" }));
  const said = `Activations of a sample of words, from ${short(low)} to ${short(high)}, median ${short(one.median)}`;
  return titled("Activations", element("figure", null, picture(width, height, said, parts)), element("p", { class: "quiet" }, "A sample of words. The height of a bar is the square root of their number."));
}

// Of every property; of those of which it has weights.
function weights(data, one) {
  return data.classes.map(({ of, names, values_are }, number) => {
    const values = one.weights[number];
    if (!values || !values.some((value) => value)) return null;
    const order = values.map((_, j) => j).filter((j) => values[j]).sort((a, b) => Math.abs(values[b]) - Math.abs(values[a])).slice(0, 12);
    const block = { kind: "bars", title: `Classes of the neuron${of ? ": " + of : ""}`, labels: order.map((j) => names[j]), values: order.map((j) => values[j]), x_label: values_are, y_label: "class", format: "number" };
    const [, ...parts] = bars(block, 440);
    return titled(of ? `Classes of ${of}` : "Classes", element("figure", null, parts));
  });
}

function effects(one) {
  if (!one.effects.length) return null;
  const rows = one.effects.map(([name, value, low, high]) => [name, withInterval(value, low, high, "number")]);
  return titled("Effect when it is replaced", wideTable("Effects in the running model", ["what", "effect"], rows, ["left", "right"]));
}

function words(one) {
  const known = SIGNS.filter((sign) => one.words && one.words[sign] && one.words[sign].length);
  return known.map((sign) => titled(`Words with the ${sign} mean`, wideTable(`Forms with the ${sign} mean activation by the cautious end of its interval`, ["word", "label", "times", "mean"],
    one.words[sign].map(([form, tag, count, mean, low, high]) => [form, tag, shown(count, "count"), withInterval(mean, low, high, "number")]), ["left", "left", "right", "right"])));
}

function tokens(one) {
  if (!one.tokens) return null;
  const list = (name) => element("p", null, `It ${name}: `, one.tokens[name].flatMap((token, j) => (j ? [", ", apart(token)] : [apart(token)])));
  return titled("Tokens it writes", list("raises"), list("lowers"));
}

function twins(one, here, isHere) {
  if (!one.twins.length && !one.others.length) return null;
  const own = one.twins.map(([id, r]) => [isHere(id) ? neuronLink(here, id) : id, "this", aligned(r)]);
  const others = one.others.map(([model, id, r, hasPage]) => [hasPage ? neuronLink(models.indexOf(model), id) : id, model, aligned(r)]);
  return titled("Neurons like it", wideTable("By correlation over words", ["neuron", "model", "r"], [...own, ...others], ["left", "left", "right"]));
}

function legendOf(data, one) {
  return element("p", { class: "quiet" }, "From ", apart(data.source), `. Orange: above the neuron's median (${short(one.median)}); blue and dotted: below. The number is the activation of the word in bold; point at another, or use the arrow keys, to read its own.`);
}

function bandPart(band) {
  if (!band.examples.length) return null;
  const items = band.examples.map((each) => {
    const body = sentence(each.words);
    if (each.before) body.prepend("… ");
    if (each.after) body.append(" …");
    return element("li", null, element("span", { class: "number" }, each.peak && each.peak.value !== null ? aligned(each.peak.value) : ""), body);
  });
  return element("div", { class: "side" }, element("h4", null, band.name), element("ol", { class: "sentences" }, items));
}

function neuronText(data, table, i, one, bands) {
  const said = [nameOf(data, data.ids[i])];
  for (const column of table.columns.slice(2)) {
    const text = withInterval(column.values[i], column.low && column.low[i], column.high && column.high[i], column.kind);
    if (text) said.push(`${column.title}: ${text}`);
  }
  for (const sign of SIGNS) if (one.words && one.words[sign] && one.words[sign].length) said.push(`words with the ${sign} mean: ${one.words[sign].map((each) => each[0]).join(", ")}`);
  for (const band of bands) {
    said.push("", band.name + ":");
    for (const each of band.examples) said.push(`${each.peak ? each.peak.said : ""}\t${each.words.map((word) => (word.isPeak ? `[${word.text}]` : word.text)).join(" ")}`);
  }
  return said.join("\n") + "\n";
}

function neuronCsv(id, bands) {
  const rows = [["neuron", "band", "sentence", "word", "activation", "is the largest or smallest"]];
  for (const band of bands) band.examples.forEach((each, number) => each.words.forEach((word) => rows.push([id, band.name, number + 1, word.text, word.value === null ? null : Number(word.value.toPrecision(4)), word.isPeak ? 1 : 0])));
  return csv(rows);
}
