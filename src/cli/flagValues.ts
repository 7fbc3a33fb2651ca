import { sizeOf } from '../model/size.ts';
import { dayStart, spanOf } from '../model/when.ts';

/** Characters of a reason or a name that is given. */
const TEXT_MOST = 4096;

/** Why a text cannot be the value of a flag, or null if it can. Looks at the text only. */
type ValueCheck = (text: string) => string | null;

export interface FlagValue {
  /** How help calls it, such as `DIR`. */
  readonly name: string;
  readonly check: ValueCheck;
}

export const anything: ValueCheck = () => null;

export const notEmpty: ValueCheck = (text) => (text === '' ? 'is empty' : null);

export const absoluteDirectory: ValueCheck = (text) => {
  if (text === '') return 'is empty';
  if (!text.startsWith('/')) return 'is not an absolute path';
  if (text.split('/').includes('..')) return "holds '..'";
  return /^[/.]*$/.test(text) ? 'is the root directory' : null;
};

export function oneOf(choices: readonly string[]): FlagValue {
  return {
    name: choices.join('|'),
    check: (text) => (choices.includes(text) ? null : `is none of ${choices.join(', ')}`),
  };
}

export function listOf(choices: readonly string[]): FlagValue {
  return {
    name: `${choices.join('|')},...`,
    check: (text) => {
      const wrong = text.split(',').find((each) => !choices.includes(each));
      if (wrong === undefined) return null;
      const which = wrong === text ? '' : `has '${wrong}', which `;
      return `${which}is none of ${choices.join(', ')}`;
    },
  };
}

export function wholeNumber(least: number, most: number): FlagValue {
  return {
    name: 'N',
    check: (text) =>
      /^[0-9]{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most
        ? null
        : `is no whole number from ${least} to ${most}`,
  };
}

export const saidText: ValueCheck = (text) => {
  if (text.trim() === '') return 'is empty';
  return text.length > TEXT_MOST ? `is longer than ${TEXT_MOST} characters` : null;
};

export const age: ValueCheck = (text) =>
  spanOf(text) === null ? 'is no age such as 90m, 36h, 30d or 2w' : null;

export const when: ValueCheck = (text) =>
  spanOf(text) === null && dayStart(text) === null ? 'is no day such as 2027-01-31, and no 30d' : null;

/** A number of bytes, with an optional unit. */
export const byteCount: FlagValue = {
  name: 'SIZE',
  check: (text) =>
    sizeOf(text) === null ? 'is no size: a whole number of bytes above 0, or one with K, M, G or T' : null,
};
