// Copies as text and downloads as CSV, made here: nothing is sent anywhere.

function csv(rows) {
  const quoted = (value) => {
    let text = value === null || value === undefined ? "" : String(value);
    // A spreadsheet would run it.
    if (typeof value === "string" && /^\s*'*\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(text) && !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) text = "'" + text;
    return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };
  return rows.map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";
}

function download(name, text) {
  const link = element("a", { href: URL.createObjectURL(new Blob(["\ufeff" + text], { type: "text/csv" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function copy(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = copyOld(text) ? "Copied" : "Cannot copy here";
  }
  setTimeout(() => (button.textContent = before), 1500);
}

// Where a page from disk has no clipboard.
function copyOld(text) {
  const area = element("textarea", { "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
