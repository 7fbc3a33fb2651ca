import { NarScanError } from '../../model/errors.ts';

const NAME_BYTES = 1024;
/** A part of a name: nothing that a file system or a URL takes for something else, and no dot in front. */
const PART = /^[0-9A-Za-z+_=!:@~-][0-9A-Za-z+_=!:@~.?-]{0,254}$/;

/**
 * The parts of an object's name. Whoever asks has checked it; here is the last place that can keep a name from
 * leading somewhere else.
 *
 * @throws NarScanError UPLOAD_NAME
 */
export function partsOfName(name: string): readonly string[] {
  const parts = name.length <= NAME_BYTES ? name.split('/') : [];
  if (parts.length === 0 || !parts.every((part) => PART.test(part))) {
    throw new NarScanError('UPLOAD_NAME', `'${name.slice(0, NAME_BYTES)}' is no name of an object`);
  }
  return parts;
}
