import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CopyLog } from '../../src/nix/copyLog.ts';

/** What people are told of some lines, and what is told of the paths. */
function reading(...lines: readonly (string | object)[]) {
  const copied: (readonly [string, number | null])[] = [];
  const log = new CopyLog((path, bytes) => copied.push([path, bytes]));
  const said = lines.flatMap((line) =>
    log.read(typeof line === 'string' ? line : `@nix ${JSON.stringify(line)}`),
  );
  return { copied, said };
}

const start = (id: number, path: string, type = 100) => ({
  action: 'start',
  fields: [path, 'local', 'file:///cache'],
  id,
  level: 3,
  text: `copying path '${path}'`,
  type,
});
const progress = (id: number, ...fields: readonly unknown[]) => ({ action: 'result', fields, id, type: 105 });
const stop = (id: number) => ({ action: 'stop', id });

describe('the log that Nix writes for programs', () => {
  it('tells how far each path is, those that are copied side by side, too', () => {
    const { copied, said } = reading(
      start(1, '/nix/store/a'),
      start(2, '/nix/store/b'),
      progress(2, 5, 10, 0, 0),
      progress(1, 1, 3, 0, 0),
      stop(2),
      stop(1),
    );
    expect(copied).toEqual([
      ['/nix/store/b', 5],
      ['/nix/store/a', 1],
      ['/nix/store/b', null],
      ['/nix/store/a', null],
    ]);
    expect(said).toEqual([]);
  });

  it('holds other things, which are no copies', () => {
    const other = start(3, '/nix/store/a', 109);
    expect(reading(other, progress(3, 1), stop(3), stop(4), progress(5, 1)).copied).toEqual([]);
    expect(reading(start(1, '/a'), progress(1, 'x'), { ...progress(1, 1), type: 106 }).copied).toEqual([]);
  });

  it('has ids that no number of JavaScript holds', () => {
    const [one, other] = ['18014398509481985', '18014398509481984'];
    const line = (id: string, event: object) =>
      `@nix ${JSON.stringify({ ...event, id: 0 }).replace('"id":0', `"id":${id}`)}`;
    const { copied } = reading(
      line(one, start(0, '/one')),
      line(other, start(0, '/other')),
      line(one, stop(0)),
      line(other, stop(0)),
    );
    expect(copied).toEqual([
      ['/one', null],
      ['/other', null],
    ]);
  });

  it('says its messages and errors as lines for people, without colours', () => {
    const message = (msg: unknown) => ({ action: 'msg', level: 0, msg });
    expect(
      reading(message('\x1b[31;1merror:\x1b[0m no\n       more'), message('warning: x'), message(7)).said,
    ).toEqual(['error: no', '       more', 'warning: x', '']);
  });

  it('loses nothing that is no such log', () => {
    const lines = ['error: x', '@nix', '@nix {', '@nix 5', '@nix {"action":', ''];
    expect(reading(...lines).said).toEqual(lines);
  });

  it('may be anything', () => {
    const value = fc.dictionary(
      fc.constantFrom('action', 'id', 'fields', 'type', 'msg'),
      fc.oneof(
        fc.constantFrom('start', 'result', 'stop', 'msg', 100, 105, null),
        fc.array(fc.oneof(fc.string(), fc.integer())),
        fc.jsonValue(),
      ),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(value, fc.string())), (lines) => {
        const { copied } = reading(...lines);
        for (const [, bytes] of copied) expect(bytes === null || typeof bytes === 'number').toBe(true);
      }),
    );
  });
});
