import { LARGE_BYTES, type QueuedWork, type Work } from './protocol.ts';
import { isRemembered } from './runMemory.ts';
import type { Resolved } from './targets.ts';

/** Into how many shares a worker the trees are split; a last, large one is split by its worker. */
const SHARES = 8;

/** A target and its number. */
export type Numbered = readonly [number: number, target: Resolved];

/**
 * The work of targets, streams first: each of them keeps one worker busy for long. Else in their order, in
 * which they are told.
 *
 * @param hashed whether valid store paths are scanned as their NARs, to be hashed
 */
export function* workOf(
  targets: readonly Numbered[],
  workers: number,
  hashed: boolean,
): Generator<QueuedWork, void, undefined> {
  const trees = new Map<string, QueuedWork & { work: Work[] }>();
  for (const [number, target] of targets) {
    const { hashParts } = target;
    const work = unitOf(number, target, hashed);
    if (work.kind !== 'tree') {
      yield { hashParts, aliases: [], work: [work] };
      continue;
    }
    const key = hashParts.join();
    const group = trees.get(key) ?? { hashParts, aliases: [], work: [] };
    group.work.push(work);
    trees.set(key, group);
  }
  for (const { work, ...searched } of trees.values()) {
    const share = Math.ceil(work.length / (workers * SHARES));
    for (let at = 0; at < work.length; at += share) yield { ...searched, work: work.slice(at, at + share) };
  }
}

/** The work of one target. */
export function unitOf(number: number, target: Resolved, hashed: boolean): Work {
  const { kind, path } = target;
  if (kind === 'nar' || path === null) return { kind: 'nar', target: number, path };
  if (hashed && isRemembered(target)) {
    // what is not known may be large
    return { kind: 'path', target: number, path, narSize: target.info.narSize ?? Infinity };
  }
  return { kind: 'tree', target: number, piece: { kind: 'root', path } };
}

/** How many streams are to be hashed, each of which keeps one worker busy for long. */
export function longStreams(targets: readonly Numbered[], hashed: boolean): number {
  return targets.filter(([number, target]) => {
    const work = unitOf(number, target, hashed);
    return work.kind === 'nar' || (work.kind === 'path' && work.narSize >= LARGE_BYTES);
  }).length;
}
