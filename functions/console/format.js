// Numbers, times and amounts as text. Times are epoch seconds.

const WHOLE = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

export const NONE = "–";

const isMissing = (value) => value === null || value === undefined || value === "";

export const number = (value) => (isMissing(value) ? NONE : WHOLE.format(value));

export const short = (value) => SHORT.format(value);

// Dollars are a number or the exact text of one. Small amounts keep two digits that count.
export const dollars = (value) => {
  if (isMissing(value)) return NONE;
  const amount = Number(value);
  if (amount === 0) return "$0";
  const digits = amount >= 1 ? 2 : Math.min(9, 1 - Math.floor(Math.log10(amount)));
  return `$${amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: Math.max(2, digits) })}`;
};

export const time = (seconds) => (isMissing(seconds) ? NONE : TIME.format(seconds * 1000));

export const duration = (seconds) => {
  if (isMissing(seconds) || seconds < 0) return NONE;
  if (seconds < 60) return seconds === 0 ? "less than 1 s" : `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

export const until = (seconds) => duration(Math.max(0, Math.round(seconds - Date.now() / 1000)));

export const bytes = (value) => {
  if (isMissing(value)) return NONE;
  const step = value < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3));
  return `${(value / 1000 ** step).toLocaleString("en", { maximumFractionDigits: 1 })} ${UNITS[step]}`;
};

export const milliseconds = (value) =>
  value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`;

export const tokens = (usage) => (usage ? `${number(usage.input_tokens)} in, ${number(usage.output_tokens)} out` : NONE);

export const metadata = (pairs) =>
  Object.entries(pairs ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");
