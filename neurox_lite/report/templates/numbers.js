// How numbers are written.

function shown(value, format) {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (format === "count" || format === "rank") return value.toLocaleString("en-US");
  if (format === "percent") return (100 * value).toFixed(1) + " %";
  return short(value);
}

// Three digits that count: 0.0312, 4.27, 1,530.
function short(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(1);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

function withInterval(value, low, high, format) {
  const text = shown(value, format);
  if (!text || low === null || low === undefined || high === null || high === undefined) return text;
  return text + " (" + shown(low, format) + " to " + shown(high, format) + ")";
}

// The same with zeros at the end, so that numbers below each other line up: 0.0340, 1.50.
function aligned(value) {
  const size = Math.abs(value);
  return size >= 1000 || size < 1e-4 ? short(value) : value.toPrecision(3);
}

// About so many round numbers that cover low to high.
function roundTicks(low, high, count) {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((each) => each * power >= rough * 0.999);
  const ticks = [];
  for (let place = Math.ceil(low / step - 1e-9); place * step <= high + step * 1e-9; place++) ticks.push(place * step);
  return ticks;
}
