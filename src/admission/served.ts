import { hashPartOf } from '../nix/storePath.ts';
import type { Decisions } from '../quarantine/decision.ts';
import type { Catalog } from './catalog.ts';
import type { PublishedPath } from './contracts.ts';
import { overriding } from './overriding.ts';
import { outcomeOf } from './publication/ruled.ts';
import type { ServerSettings } from './settings.ts';

/**
 * A catalog in which what is not to be served is not published: what people have denied since, and what was let in
 * in spite of what was found while the server refused nothing (`--dry-run`), or less than it does now (`on_failure`).
 * Nothing may refer to it, and it would have to be sent and judged again. It stays in the catalog itself, and is back
 * when the denial is lifted.
 *
 * Where nobody knows what was denied, its methods reject with the error of `Decisions.refresh`.
 */
export function servedOf(
  catalog: Catalog,
  decisions: Pick<Decisions, 'refresh' | 'denial'>,
  { dryRun, policy }: Pick<ServerSettings, 'dryRun' | 'policy'>,
): Catalog {
  // who refuses nothing serves all that was published
  if (dryRun) return catalog;
  const isAllowed = ({ storePath, narHash, verdict }: PublishedPath): boolean => {
    const outcome = outcomeOf({ standing: verdict });
    const mayBeSo = outcome === 'incomplete' && policy.admission.onFailure === 'open';
    return (outcome === 'admitted' || mayBeSo) && decisions.denial(storePath, narHash) === null;
  };
  const published = async (hashPart: string): Promise<PublishedPath | null> => {
    const path = await catalog.published(hashPart);
    return path !== null && isAllowed(path) ? path : null;
  };
  return overriding(catalog, {
    published: async (hashPart) => {
      decisions.refresh();
      return await published(hashPart);
    },
    publishedNar: async (name, counts = () => true) => {
      decisions.refresh();
      return await catalog.publishedNar(name, (path) => isAllowed(path) && counts(path));
    },
    publishedAmong: async (storePaths) => {
      decisions.refresh();
      const hashParts = [...(await catalog.publishedAmong(storePaths))].map((path) => hashPartOf(path) ?? '');
      const paths = await Promise.all(hashParts.map(published));
      return new Set(paths.flatMap((path) => (path === null ? [] : [path.storePath])));
    },
  });
}
