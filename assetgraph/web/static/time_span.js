// Which span of time a timeline shows, and where its ticks stand.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SPANS = [MINUTE / 4, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY, 31 * DAY, 366 * DAY];
const EVERY = [1000, 2000, 5000, 10_000, 15_000, 30_000, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 56 * DAY];
const MOST = 2 / 3; // this share of the latest runs must be in the span
const WIDER = 5; // the span may be so many times longer to hold more of them
const LABEL_PX = 46; // the label of a tick: hours and minutes
const LONG_LABEL_PX = 88; // with seconds, or a day
const WORD_PX = 40; // the word "now"

/** The shortest span that holds most of `times`, up to now, or up to the last of them if that is
 * more than a day ago. */
export function spanOf(times, now) {
  if (!times.length) return [now - HOUR, now];
  const sorted = [...times].sort((a, b) => b - a);
  const recent = now - sorted[0] < DAY;
  const end = recent ? now : sorted[0];
  const needed = end - sorted[Math.ceil(sorted.length * MOST) - 1];
  const begin = sorted.findLast((at) => end - at <= needed * WIDER);
  const length = SPANS.find((span) => span * 0.96 >= end - begin) ?? SPANS.at(-1);
  const until = recent ? now : end + length * 0.02;
  return [until - length, until];
}

/** The times of the ticks in a span that is drawn `width` pixels wide. With `now`, the end of the
 * span stays free for that word. */
export function ticksIn(since, until, width, now) {
  const length = until - since;
  const label = (every) => (every < MINUTE || length > DAY ? LONG_LABEL_PX : LABEL_PX);
  const every = EVERY.find((one) => (one / length) * width >= label(one) * 1.8) ?? length;
  const offset = new Date().getTimezoneOffset() * MINUTE;
  const last = until - (length / width) * (label(every) + (now ? WORD_PX : 0));
  const marks = [];
  for (let at = Math.ceil((since - offset) / every) * every + offset; at < last; at += every) marks.push(at);
  return {marks, every};
}

/** A part of `whole`, zoomed by a factor around `at`, and moved by a share of its length. */
export function zoomed([since, until], whole, {factor = 1, at = (since + until) / 2, move = 0}) {
  const length = Math.max(1000, Math.min(whole[1] - whole[0], (until - since) * factor));
  const begin = at - ((at - since) / (until - since)) * length + move * length;
  const from = Math.min(Math.max(begin, whole[0]), whole[1] - length);
  return [from, from + length];
}
