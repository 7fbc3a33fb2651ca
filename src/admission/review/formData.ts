import { NarScanError } from '../../model/errors.ts';
import { dayStart } from '../../model/when.ts';
import { REASON_MOST } from './forms.ts';

type Form = Readonly<Record<string, string>>;

/** What every decision says. @throws NarScanError REVIEW_INVALID */
export function decisionForm(form: Form): { readonly reason: string } {
  const reason = (form['reason'] ?? '').trim();
  if (reason === '') throw invalid('a reason is missing');
  if (reason.length > REASON_MOST) throw invalid(`the reason is longer than ${REASON_MOST} characters`);
  return { reason };
}

/** @param now milliseconds since 1970 @throws NarScanError REVIEW_INVALID */
export function releaseForm(
  form: Form,
  now: number,
): { readonly reason: string; readonly expires: Date | null } {
  const { reason } = decisionForm(form);
  const text = form['expires'] ?? '';
  if (text === '') return { reason, expires: null };
  const expires = dayStart(text);
  if (expires === null) throw invalid(`'${text.slice(0, 40)}' is no day such as 2027-01-31`);
  if (expires.getTime() <= now) throw invalid(`${text} is not in the future`);
  return { reason, expires };
}

/** @throws NarScanError REVIEW_INVALID */
export function purgeForm(form: Form): { readonly reason: string; readonly whole: boolean } {
  const { reason } = decisionForm(form);
  if (form['sure'] !== 'yes') throw invalid('what is purged cannot be had back: say that you know');
  const what = form['what'];
  if (what !== 'nar' && what !== 'all') throw invalid('what is to go is missing');
  return { reason, whole: what === 'all' };
}

function invalid(message: string): NarScanError {
  return new NarScanError('REVIEW_INVALID', message);
}
