/** Numbers as people read them, in one language throughout. */

const LANGUAGE = "en";
const whole = new Intl.NumberFormat(LANGUAGE);
const clock = new Intl.DateTimeFormat(LANGUAGE, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const dated = new Intl.DateTimeFormat(LANGUAGE, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const countries = new Intl.DisplayNames([LANGUAGE], { type: "region" });

export function count(value: number): string {
  return whole.format(value);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  const power = Math.min(4, Math.floor(Math.log10(value) / 3));
  return `${digits(value / 1000 ** power)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

export function micros(us: number): string {
  if (us < 1000) return `${digits(us)} µs`;
  return millis(us / 1000);
}

export function millis(ms: number): string {
  return ms < 1000 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`;
}

export function perSecond(value: number): string {
  return `${count(Number(value.toPrecision(3)))} /s`;
}

/** Two or three digits that mean something. */
function digits(value: number): string {
  if (value >= 100) return count(Math.round(value));
  return value.toFixed(value >= 10 ? 1 : 2);
}

export function time(date: Date): string {
  const isToday = date.toDateString() === new Date().toDateString();
  return (isToday ? clock : dated).format(date);
}

export function place(latitude: number, longitude: number): string {
  const angle = (degrees: number, positive: string, negative: string) =>
    `${Math.abs(degrees).toFixed(2)}° ${degrees < 0 ? negative : positive}`;
  return `${angle(latitude, "N", "S")}, ${angle(longitude, "E", "W")}`;
}

export function country(code: string): string {
  try {
    return countries.of(code) ?? code;
  } catch {
    // A code that an edit made and that no country has.
    return code;
  }
}
