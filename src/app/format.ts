/**
 * Numbers as the interface writes them: decimal units, a no-break space before the unit, no more digits than mean
 * something.
 */
const NB = '\u00a0';

/** `20.5 MB`, `98 kB`, `24 B`, and `0` without a unit. */
export function bytes(n: number): string {
  if (n === 0) return '0';
  if (n < 1e3) return `${n}${NB}B`;
  // One digit more, so that small amounts still add up.
  if (n < 9.95e3) return `${(n / 1e3).toFixed(1)}${NB}kB`;
  if (n < 999.5e3) return `${Math.round(n / 1e3)}${NB}kB`;
  if (n < 99.95e6) return `${(n / 1e6).toFixed(1)}${NB}MB`;
  if (n < 999.5e6) return `${Math.round(n / 1e6)}${NB}MB`;
  return `${(n / 1e9).toFixed(2)}${NB}GB`;
}

/** `0.04 s`, `3.3 s`, `41 s`. */
export function seconds(milliseconds: number): string {
  const s = milliseconds / 1e3;
  return `${s.toFixed(s < 0.995 ? 2 : s < 99.95 ? 1 : 0)}${NB}s`;
}

/** `24 ms`. */
export function milliseconds(ms: number): string {
  return `${Math.max(1, Math.round(ms))}${NB}ms`;
}

/** A share of 1 as `41.7 %`. What is not nothing is not written as nothing, and what is not all not as all. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return `<0.1${NB}%`;
  if (share < 1 && share >= 0.9995) return `>99.9${NB}%`;
  return `${(share * 100).toFixed(1)}${NB}%`;
}

/** A share of 1 without decimals, for progress: 100 only when it is done. */
export function wholePercent(share: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, share)) * 100)}${NB}%`;
}

/** `12,420`. */
export function count(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 token`, `9 tokens`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Hex in groups of four digits: `7c1e 90ab 42f3`. */
export function hexGroups(hex: string): string {
  return hex.replace(/(.{4})(?=.)/g, '$1 ');
}

/** Lines of at most the given lengths, broken between words; what does not fit ends in an ellipsis. */
export function wrap(text: string, limits: readonly number[]): string[] {
  const lines: string[] = [];
  let rest = text.trim().replace(/\s+/g, ' ');
  for (const [i, limit] of limits.entries()) {
    if (rest === '') break;
    if (rest.length <= limit) {
      lines.push(rest);
      break;
    }
    const last = i === limits.length - 1;
    // One character stays free for the ellipsis; a single long word is cut, because nothing may shrink or overflow.
    const room = last ? limit - 2 : limit;
    const space = rest.lastIndexOf(' ', room);
    const cut = space > 0 ? space : room;
    const line = rest.slice(0, cut);
    lines.push(last ? `${line.replace(/[ ,.]+$/, '')} …` : line);
    rest = rest.slice(cut).trimStart();
  }
  return lines;
}

/** The end of a text, from the start of a word on, led by an ellipsis if anything is left out. */
export function tail(text: string, length: number): string {
  const whole = text.trim().replace(/\s+/g, ' ');
  if (whole.length <= length) return whole;
  const end = whole.slice(whole.length - length + 2);
  const space = end.indexOf(' ');
  return `… ${space < 0 ? end : end.slice(space + 1)}`;
}

/** Whether a text reads from right to left, by its first letter, as `dir="auto"` decides. */
export function rightToLeft(text: string): boolean {
  const first = /\p{L}/u.exec(text)?.[0] ?? '';
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]|[\u{10800}-\u{10fff}\u{1e800}-\u{1eeff}]/u.test(first);
}
