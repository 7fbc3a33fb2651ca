import type { Decisions } from '../quarantine/decision.ts';
import type { Catalog } from './catalog.ts';
import type { PublishedPath } from './contracts.ts';
import { isAdmitted } from './outcome.ts';
import { overriding } from './overriding.ts';
import { isLeftOver, isObjectServed } from './servedObjects.ts';
import type { ServerSettings } from './settings.ts';

/** Of the settings, what says what is served. */
type ServedBy = Pick<ServerSettings, 'dryRun' | 'policy'>;

/**
 * Whether a published path is served: not what people have denied since, and not what was let in in spite of what was
 * found while the server refused nothing (`--dry-run`), or less than it does now (`on_failure`). Who refuses nothing
 * serves all that was published.
 */
export function isServed(
  { verdict, isUninspected }: PublishedPath,
  isDenied: boolean,
  { dryRun, policy }: ServedBy,
): boolean {
  if (dryRun) return true;
  const mayBeSo = isUninspected && policy.admission.onFailure === 'open';
  return isAdmitted(verdict, mayBeSo) && !isDenied;
}

/**
 * A catalog in which what is not to be served ({@link isServed}) is not published. Nothing may refer to it, and it
 * would have to be sent and judged again. It stays in the catalog itself, and is back when the denial is lifted.
 * Objects that lead to it are not there either, and those that lead to nothing that was ever admitted give way.
 *
 * Where nobody knows what was denied, its methods reject with the error of `Decisions.refresh`.
 */
export function servedOf(
  catalog: Catalog,
  decisions: Pick<Decisions, 'refresh' | 'denial'>,
  settings: ServedBy & Pick<ServerSettings, 'storeDir'>,
): Catalog {
  // what was denied matters to nobody then
  if (settings.dryRun) return catalog;
  const isAllowed = (path: PublishedPath): boolean =>
    isServed(path, decisions.denial(path.storePath, path.narHash) !== null, settings);
  const { storeDir } = settings;
  const served: Catalog = overriding(catalog, {
    published: async (hashPart) => {
      decisions.refresh();
      const path = await catalog.published(hashPart);
      return path !== null && isAllowed(path) ? path : null;
    },
    publishedNar: async (name, counts = () => true) => {
      decisions.refresh();
      return await catalog.publishedNar(name, (path) => isAllowed(path) && counts(path));
    },
    publishedAmong: async (storePaths, counts = () => true) => {
      decisions.refresh();
      return await catalog.publishedAmong(storePaths, (path) => isAllowed(path) && counts(path));
    },
    object: async (name) => {
      decisions.refresh();
      const object = await catalog.object(name);
      if (object === null) return null;
      const { bytes } = object;
      return (await isObjectServed({ name, bytes, storeDir }, served, decisions)) ? object : null;
    },
    putObject: async (name, content, type) => {
      const bytes = (await catalog.object(name))?.bytes ?? null;
      const gives = bytes !== null && (await isLeftOver({ name, bytes, storeDir }, catalog));
      return await catalog.putObject(name, content, type, gives ? bytes : null);
    },
  });
  return served;
}
