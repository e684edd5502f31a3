// Addresses of neurons: #3:17, and where there are several models #MODEL/3:17; the table of one
// is #MODEL/neurons.

const models = JSON.parse(document.getElementById("models").textContent);
const OF_NEURONS = /^(?:(.+)\/)?(neurons|\d+:\d+)$/;

// model: the number of its table.
function addressOf(model, what) {
  return "#" + (models.length > 1 ? encodeURIComponent(models[model]) + "/" : "") + what;
}

// What an address asks for: "neurons" or a neuron, and of which model, -1 of one that is not here.
function neuronsAsked(hash) {
  const [, name, what] = OF_NEURONS.exec(hash) || [];
  return what && models.length ? { model: name === undefined ? 0 : models.indexOf(name), what } : null;
}

function neuronLink(model, id) {
  return element("a", { href: addressOf(model, id) }, id);
}

// Which model's neurons are shown, where there are several.
function modelChoice(model) {
  if (models.length < 2) return null;
  const links = models.map((name, number) => element("a", { href: addressOf(number, "neurons"), "aria-current": number === model ? "page" : null }, apart(name)));
  return element("nav", { class: "models", "aria-label": "Models" }, element("span", { class: "quiet" }, "Model"), links);
}

// Of a file that is downloaded: with the model in it, where there are several.
function fileName(model, what) {
  return (models.length > 1 ? models[model].replace(/[^\w.-]+/g, "_") + "-" : "") + what + ".csv";
}
