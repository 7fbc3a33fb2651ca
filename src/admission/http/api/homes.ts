import type { IncomingMessage } from 'node:http';
import * as z from 'zod/mini';
import { NarScanError } from '../../../model/errors.ts';
import { LIMITS } from '../../../model/limits.ts';
import { normalHome, refuseHome, underHomeRoot } from '../../../needles/homes.ts';
import type { Catalog } from '../../catalog.ts';
import type { Caller } from '../../contracts.ts';
import { receiveSmall } from '../../intake/small.ts';
import { bodyOf } from '../requestBody.ts';

const REQUEST = z.strictObject({ homes: z.array(z.string()) });

/**
 * Adds homes to those of a caller, all or none of them; none is ever taken away, so whoever can send outputs can make
 * the search of them stricter; but whose homes are known is warned, not held, for foreign ones where `foreign_home` is
 * not set.
 *
 * @returns all that are known of the caller
 * @throws NarScanError HOMES_REQUEST, USAGE_BAD_HOME, HOMES_TOO_MANY, CATALOG_UNREADABLE, and as {@link receiveSmall}
 */
export async function registerHomes(
  request: IncomingMessage,
  caller: Caller,
  catalog: Pick<Catalog, 'addHomes'>,
): Promise<readonly string[]> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  // a page in somebody's browser cannot say this type to another host without being asked
  if (type !== 'application/json')
    throw new NarScanError('HOMES_REQUEST', 'the document is not application/json');
  const named = homesIn(await receiveSmall(bodyOf(request), LIMITS.registeredHomesBytes));
  for (const home of named) {
    const refusal = refuseHome(home);
    if (refusal !== null) throw new NarScanError('USAGE_BAD_HOME', `'${home}' ${refusal}`);
  }
  const known = new Set(caller.homes);
  const added = [...new Set(named.map(normalHome))].filter((home) => !known.has(home));
  const all = [...known, ...added];
  if (added.length > 0) {
    refuseTooMany(all);
    await catalog.addHomes(caller.name, added);
  }
  return all;
}

function homesIn(bytes: Buffer): readonly string[] {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new NarScanError('HOMES_REQUEST', 'the document is no JSON', { cause });
  }
  const checked = REQUEST.safeParse(document);
  if (!checked.success) throw new NarScanError('HOMES_REQUEST', 'the document has no list of homes alone');
  return checked.data.homes;
}

function refuseTooMany(homes: readonly string[]): void {
  const elsewhere = homes.filter((home) => underHomeRoot(home) === null).length;
  if (homes.length <= LIMITS.registeredHomes && elsewhere <= LIMITS.registeredHomesElsewhere) return;
  const { registeredHomes: most, registeredHomesElsewhere: mostElsewhere } = LIMITS;
  throw new NarScanError(
    'HOMES_TOO_MANY',
    `these would be ${homes.length} homes, ${elsewhere} of them outside /home and the like: at most ${most} and ${mostElsewhere} are taken`,
  );
}
