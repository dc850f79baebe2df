/** Times, sizes, durations and texts as people read them. Pure; words that need translation are not made here. */

const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const DATE = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const DATE_OF_YEAR = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export const day = (time: string): string => DAY.format(new Date(time));
export const clock = (time: string): string => CLOCK.format(new Date(time));
export const moment = (time: string): string => MOMENT.format(new Date(time));
export const short = (id: string): string => id.slice(0, 8);

/** Return a time of the day, with the date where it is another day than `now`, and the date alone of another year. */
export function when(time: string, now: Date = new Date()): string {
  const then = new Date(time);
  if (then.getFullYear() !== now.getFullYear()) {
    return DATE_OF_YEAR.format(then);
  }
  return then.toDateString() === now.toDateString() ? clock(time) : `${DATE.format(then)}, ${clock(time)}`;
}

/** Return a duration in two or three digits: `3 ms`, `1.2 s`, `4 min 5 s`. */
export function duration(seconds: number): string {
  if (seconds < 0.0005) {
    return '<1 ms';
  }
  if (seconds < 0.9995) {
    return `${Math.round(seconds * 1000)} ms`;
  }
  if (seconds < 59.95) {
    return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Return a size with three digits, as other parts of Cellar say it: powers of 1024. */
export function size(bytes: number): string {
  let left = bytes;
  for (const unit of ['B', 'KB', 'MB', 'GB']) {
    if (left < 1000 || unit === 'GB') {
      return `${unit === 'B' || left >= 100 ? Math.round(left) : left.toPrecision(left < 10 ? 2 : 3)} ${unit}`;
    }
    left /= 1024;
  }
  return '';
}

/** Return a shape or nothing: `64 × 32`. */
export const shape = (dimensions: readonly number[]): string =>
  dimensions.length ? dimensions.map(n => n.toLocaleString('en')).join(' × ') : '';

/** Return text without the codes that colour a terminal. */
export const withoutColours = (text: string): string => text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '');

/** Return at most so many lines, and how many were left out. */
export function firstLines(text: string, most: number): { text: string; more: number } {
  const lines = text.replace(/\n+$/, '').split('\n');
  return { text: lines.slice(0, most).join('\n'), more: Math.max(lines.length - most, 0) };
}
