// Formats numbers, times and sizes for people.

const DAY = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short'});
const CLOCK = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit'});
const EXACT = new Intl.DateTimeFormat('en-GB', {dateStyle: 'medium', timeStyle: 'medium'});
const RUN_ID = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)\d\d-\d{3}-([0-9a-f]{4})$/;
const COUNT = new Intl.NumberFormat('en-US');

/** 12 ms, 0.31 s, 4.2 s, 1 min 05 s, 2 h 03 min */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return '';
  if (seconds < 0.0995) return `${Math.max(seconds * 1000, 0).toFixed(seconds < 0.00995 ? 1 : 0)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(seconds < 0.995 ? 2 : 1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** just now, 12 s ago, 5 min ago, 3 h ago, yesterday 14:05, 12 Mar 14:05 */
export function ago(iso, now = Date.now()) {
  const then = new Date(iso);
  const seconds = (now - then) / 1000;
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 12 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  const today = new Date(now).setHours(0, 0, 0, 0);
  if (then >= today) return `today ${CLOCK.format(then)}`;
  if (then >= today - 86_400_000) return `yesterday ${CLOCK.format(then)}`;
  return `${DAY.format(then)} ${CLOCK.format(then)}`;
}

export function exact(iso) {
  return EXACT.format(new Date(iso));
}

/** 19:05:12.481 */
export function clock(iso) {
  const date = new Date(iso);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad);
  return `${parts.join(':')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** 19:05:12 */
export function exactTime(at) {
  return clock(at).slice(0, 8);
}

/** 12 Mar, or 12 Mar 14:00 */
export function dayAndTime(at, withTime) {
  return withTime ? `${DAY.format(at)} ${CLOCK.format(at)}` : DAY.format(at);
}

export function hourAndMinute(date) {
  return CLOCK.format(date);
}

export function bytes(count) {
  if (count === null || count === undefined) return '';
  let size = count;
  for (const unit of ['B', 'kB', 'MB', 'GB', 'TB']) {
    if (size < 999.5 || unit === 'TB') return `${size < 10 && unit !== 'B' ? size.toFixed(1) : Math.round(size)} ${unit}`;
    size /= 1000;
  }
  return '';
}

export function count(number) {
  return COUNT.format(number);
}

export function plural(number, word, many = `${word}s`) {
  return `${count(number)} ${number === 1 ? word : many}`;
}

/** A number in metadata: integers with grouped digits, others with six significant digits. */
export function quantity(number) {
  if (Number.isInteger(number)) return count(number);
  return Math.abs(number) >= 1e6 || Math.abs(number) < 1e-4 ? number.toPrecision(4) : String(+number.toPrecision(6));
}

/** A run's name for people: when it began, and the part of its id that tells it from the others and
 * that a command takes: `22 Nov 16:08 · 4f2a`. An id has its time in UTC. */
export function runName(runId) {
  const [, year, month, day, hour, minute, distinct] = RUN_ID.exec(runId) ?? [];
  if (!distinct) return runId;
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute));
  const thisYear = at.getFullYear() === new Date().getFullYear();
  return `${DAY.format(at)}${thisYear ? '' : ` ${at.getFullYear()}`} ${CLOCK.format(at)} \u00b7 ${distinct}`;
}

function pad(number) {
  return String(number).padStart(2, '0');
}
