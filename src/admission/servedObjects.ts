import { contentName } from '../nix/narHash.ts';
import { hashPartOf } from '../nix/storePath.ts';
import type { Decisions } from '../quarantine/decision.ts';
import type { Catalog } from './catalog.ts';
import { isAdmitted } from './outcome.ts';
import { parseDebugInfo } from './publication/debugInfo.ts';
import { parseObjectName } from './publication/objectName.ts';
import { parseRealisation } from './publication/realisation.ts';
import { textNar } from './publication/textNar.ts';

/** A log, a realisation or debuginfo, as the catalog has it. */
export interface NamedObject {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The logical store dir of the server. */
  readonly storeDir: string;
}

type Published = Pick<Catalog, 'published' | 'publishedNar'>;

/**
 * Whether an object is served: not where people have denied its text or the derivation of a log, and not where it leads
 * to what is not served.
 *
 * @param served where nothing else is published
 */
export async function isObjectServed(
  object: NamedObject,
  served: Published,
  decisions: Pick<Decisions, 'denial'>,
): Promise<boolean> {
  const { name, bytes, storeDir } = object;
  const parsed = parseObjectName(name);
  const { narHash } = textNar(bytes);
  const called = parsed?.kind === 'log' ? `${storeDir}/${parsed.derivation}` : contentName(narHash);
  return decisions.denial(called, narHash) === null && (await leadsOn(object, served));
}

/**
 * Whether an object leads to nothing that was ever admitted, but to what a dry run let in, or to nothing at all: another
 * value may take its place.
 */
export async function isLeftOver(object: NamedObject, catalog: Published): Promise<boolean> {
  return !(await leadsOn(object, {
    published: async (hashPart) => {
      const path = await catalog.published(hashPart);
      return path !== null && isAdmitted(path.verdict, path.isUninspected) ? path : null;
    },
    publishedNar: async (narName) =>
      await catalog.publishedNar(narName, ({ verdict, isUninspected }) => isAdmitted(verdict, isUninspected)),
  }));
}

/** Whether what an object leads to is published. A log leads to nothing. */
async function leadsOn({ name, bytes, storeDir }: NamedObject, catalog: Published): Promise<boolean> {
  const parsed = parseObjectName(name);
  switch (parsed?.kind) {
    case 'log':
      return true;
    case 'debuginfo': {
      const found = parseDebugInfo(bytes);
      return found !== null && (await catalog.publishedNar(found.narName)) !== null;
    }
    case 'realisation': {
      const found = parseRealisation(bytes, parsed.id);
      if (found === null) return false;
      const path = await catalog.published(hashPartOf(found.outPath) ?? '');
      return path?.storePath === `${storeDir}/${found.outPath}`;
    }
    case 'listing':
    case undefined:
      return false;
  }
}
