// A sentence with coloured words. It is one stop of the tabulator; arrow keys read the values.

const STRONGEST = 0.62;

// words: {text, share of the largest value in -1..1, said: the value, isPeak, isSpecial}
function sentence(words) {
  const spans = words.map((word) => {
    const names = [word.share < -0.02 && "below", word.isPeak && "peak", word.isSpecial && "special"].filter(Boolean);
    const span = element("span", { class: names.join(" ") || null, title: word.said ? `${word.text}: ${word.said}` : null }, word.text);
    const strength = Math.min(Math.abs(word.share), 1) * STRONGEST;
    if (strength > 0.01) span.style.backgroundColor = `color-mix(in srgb, var(--${word.share < 0 ? "negative" : "positive"}) ${(100 * strength).toFixed(1)}%, transparent)`;
    return span;
  });
  const made = element("div", { class: "sentence", dir: "auto", tabindex: 0, role: "group", "aria-label": words.map((word) => word.text).join(" ") });
  spans.forEach((span, i) => made.append(i ? " " : "", span));
  let at = -1;
  const move = (place) => {
    if (at >= 0) spans[at].classList.remove("at");
    at = place;
    if (at >= 0) spans[at].classList.add("at");
    document.getElementById("value").textContent = at < 0 ? "" : `${words[at].text}: ${words[at].said || "no value"}`;
  };
  made.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") move(-1);
    if (!step) return;
    event.preventDefault();
    const rightToLeft = getComputedStyle(made).direction === "rtl";
    const start = words.findIndex((word) => word.isPeak);
    move(at < 0 ? Math.max(start, 0) : Math.min(Math.max(at + (rightToLeft ? -step : step), 0), words.length - 1));
  });
  made.addEventListener("blur", () => move(-1));
  return made;
}
