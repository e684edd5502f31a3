// Elements are made with text nodes and attributes only: nothing from the data is read as HTML.

function element(name, attributes, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function drawn(name, attributes, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

// Text whose direction of writing does not change that of what stands beside it.
function apart(text) {
  return element("bdi", null, String(text));
}

// A table that scrolls by itself where the window is narrow.
function wideTable(caption, head, rows, align) {
  const cell = (tag, content, place, extra) =>
    element(tag, { class: align[place], ...extra }, content instanceof Node ? content : apart(content));
  return element(
    "div",
    { class: "wide", tabindex: 0, role: "region", "aria-label": caption },
    element(
      "table",
      null,
      element("caption", null, caption),
      element("thead", null, element("tr", null, head.map((each, i) => cell("th", each, i, { scope: "col" })))),
      element("tbody", null, rows.map((row) => element("tr", null, row.map((each, i) => cell("td", each, i)))))
    )
  );
}
