import type { Decisions } from '../quarantine/decision.ts';
import type { Catalog } from './catalog.ts';
import type { PublishedPath } from './contracts.ts';
import { overriding } from './overriding.ts';

/**
 * A catalog in which what people have denied is not published: it is not served, nothing may refer to it, and it would
 * have to be sent and judged again. It stays in the catalog itself, and is back when the denial is lifted.
 *
 * Where nobody knows what was denied, its methods reject with the error of `Decisions.refresh`.
 */
export function undenied(catalog: Catalog, decisions: Pick<Decisions, 'refresh' | 'denial'>): Catalog {
  const isAllowed = ({ storePath, narHash }: PublishedPath): boolean =>
    decisions.denial(storePath, narHash) === null;
  const published = async (hashPart: string): Promise<PublishedPath | null> => {
    const path = await catalog.published(hashPart);
    return path !== null && isAllowed(path) ? path : null;
  };
  return overriding(catalog, {
    published: async (hashPart) => {
      decisions.refresh();
      return await published(hashPart);
    },
    publishedNar: async (name) => {
      decisions.refresh();
      return await catalog.publishedNar(name, isAllowed);
    },
    publishedAmong: async (hashParts) => {
      decisions.refresh();
      const paths = await Promise.all([...(await catalog.publishedAmong(hashParts))].map(published));
      return new Set(paths.filter((path) => path !== null).map(({ hashPart }) => hashPart));
    },
  });
}
