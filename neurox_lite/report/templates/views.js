// Which view is shown: the part of the address behind # says it, so that each can be linked to.

const OF_NEURON = /^\d+:\d+$/;

const main = document.getElementById("main"), title = document.title;
const views = [...document.querySelectorAll(".view")];
const charts = JSON.parse(document.getElementById("charts").textContent);
for (const place of document.querySelectorAll("[data-chart]")) place.append(...chart(charts[place.dataset.chart]).filter(Boolean));

// Made once, when neurons are first looked at.
let neurons = null;
function withNeurons() {
  neurons ||= unpack("neurons").then((data) => {
    const places = new Map(data.ids.map((id, i) => [id, i]));
    return { data, places, table: neuronTable(data, document.getElementById("view-neurons")) };
  });
  return neurons;
}

async function showNeuron(id) {
  const { data, places, table } = await withNeurons();
  const place = document.getElementById("view-neuron"), i = places.get(id);
  if (i === undefined) {
    place.replaceChildren(element("h2", { tabindex: -1 }, id), element("p", null, "This neuron is not in this report. ", element("a", { href: "#neurons" }, "All " + data.unit_name)));
    return;
  }
  const number = Math.floor(i / data.per_chunk);
  const [chunk, sentences] = await Promise.all([unpack("details-" + number), unpack("sentences")]);
  if (asked() !== id) return; // another was asked for meanwhile
  place.replaceChildren(...neuronPage(data, table, i, chunk[i - number * data.per_chunk], sentences, (each) => places.has(each)));
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
  const part = OF_NEURON.test(hash) ? null : document.getElementById(hash);
  const view = viewOf(hash, part);
  document.getElementById("value").textContent = "";
  if (view.id === "view-neurons") await withNeurons();
  if (view.id === "view-neuron") await showNeuron(hash);
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
function viewOf(hash, part) {
  const name = OF_NEURON.test(hash) ? "neuron" : hash;
  return document.getElementById("view-" + name) || (part && part.closest(".view")) || views[0];
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
