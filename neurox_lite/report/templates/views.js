// Which view is shown: the part of the address behind # says it, so that each can be linked to.

const main = document.getElementById("main"), title = document.title;
const views = [...document.querySelectorAll(".view")];
const charts = JSON.parse(document.getElementById("charts").textContent);
for (const place of document.querySelectorAll("[data-chart]")) place.append(...chart(charts[place.dataset.chart]).filter(Boolean));

// Each made once, when neurons of its model are first looked at.
const tables = new Map();
function withTable(model) {
  if (!tables.has(model)) tables.set(model, unpack("neurons-" + model).then((data) => {
    const places = new Map(data.ids.map((id, i) => [id, i])), whole = element("div");
    return { data, places, whole, table: neuronTable(data, model, whole) };
  }));
  return tables.get(model);
}

async function tableParts(model) {
  const { whole } = await withTable(model);
  return [modelChoice(model), whole].filter(Boolean);
}

async function neuronParts(hash, { model, what }) {
  const { data, places, table } = await withTable(Math.max(model, 0));
  const i = model < 0 ? undefined : places.get(what);
  if (i === undefined) return [element("h2", { tabindex: -1 }, apart(hash)), element("p", null, "This neuron is not in this report. ", element("a", { href: addressOf(table.model, "neurons") }, "All " + data.unit_name))];
  const number = Math.floor(i / data.per_chunk);
  const [chunk, sentences] = await Promise.all([unpack(`details-${model}-${number}`), unpack("sentences")]);
  return neuronPage(data, table, i, chunk[i - number * data.per_chunk], sentences, (each) => places.has(each));
}

function asked() {
  const hash = location.hash.slice(1);
  try {
    return decodeURIComponent(hash);
  } catch {
    return hash; // a % that stands for nothing
  }
}

async function route() {
  const hash = asked();
  if (hash === "main") return main.focus();
  const ofNeurons = neuronsAsked(hash), part = ofNeurons ? null : document.getElementById(hash);
  const view = viewOf(hash, ofNeurons, part);
  document.getElementById("value").textContent = "";
  if (ofNeurons && view !== views[0]) {
    const parts = await (ofNeurons.what === "neurons" ? tableParts(ofNeurons.model) : neuronParts(hash, ofNeurons));
    if (asked() !== hash) return; // another was asked for meanwhile
    view.replaceChildren(...parts);
  }
  for (const each of views) each.hidden = each !== view;
  const current = view.id === "view-neuron" ? "#neurons" : view.id.replace("view-", "#");
  for (const link of document.querySelectorAll('nav[aria-label="Views"] a')) {
    if (link.hash === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (part) part.scrollIntoView();
  else scrollTo(0, 0);
  // A view without a heading of its own begins with the answer.
  const own = part || (["view-neurons", "view-neuron"].includes(view.id) ? view : null);
  const heading = own && own.querySelector("h2[tabindex]");
  document.title = heading ? `${heading.textContent} · ${title}` : title;
  if (hash) (heading || main).focus({ preventScroll: true });
  document.body.dataset.ready = hash || "overview";
}

// What the address asks for: a view, a neuron or a part of a view; the overview where it is unknown.
function viewOf(hash, ofNeurons, part) {
  if (ofNeurons) return ofNeurons.what !== "neurons" ? document.getElementById("view-neuron") : ofNeurons.model < 0 ? views[0] : document.getElementById("view-neurons");
  const isWhole = hash === "overview" || hash === "compare";
  return (isWhole && document.getElementById("view-" + hash)) || (part && part.closest(".view")) || views[0];
}

const theme = document.getElementById("theme"), root = document.documentElement;
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
const nameTheme = () => (theme.textContent = isDark() ? "Light" : "Dark");
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
nameTheme();

// On paper nothing can be opened.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const each of opened) {
    each.open = true;
    each.dispatchEvent(new Event("toggle")); // its own comes too late for the page
  }
});
addEventListener("afterprint", () => opened.forEach((each) => (each.open = false)));

addEventListener("hashchange", route);
route();
