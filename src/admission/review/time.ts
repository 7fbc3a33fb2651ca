import { counted } from '../../report/units.ts';
import { html, type Html } from './html.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A moment to the minute, with how long ago it was or how soon it comes. @param at milliseconds since 1970 */
export function timeOf(at: number, now: number): Html {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}" title="${iso}">${shortTime(at)}</time>
    <span class="ago">(${distance(at - now)})</span>`;
}

/** `2026-11-23 00:40`, in UTC. */
export function shortTime(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ');
}

function distance(milliseconds: number): string {
  const size = Math.abs(milliseconds);
  if (size < MINUTE) return 'now';
  const [unit, noun] = size < HOUR ? [MINUTE, 'minute'] : size < 2 * DAY ? [HOUR, 'hour'] : [DAY, 'day'];
  const text = counted(Math.floor(size / unit), noun);
  return milliseconds < 0 ? `${text} ago` : `in ${text}`;
}
