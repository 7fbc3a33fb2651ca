import { describe, expect, it } from 'vitest';
import type { OutputFacts } from '../../src/model/facts.ts';
import { packFacts } from '../../src/scan/packedFacts.ts';
import { Run } from '../../src/scan/run.ts';
import type { Resolved } from '../../src/scan/targets.ts';
import { FactSink } from '../../src/sources/factSink.ts';
import { finding } from '../report/madeFacts.ts';

const HASH_PART = '0123456789abcdfghijklmnpqrsvwxyz';
const ALIAS = '/gpfs/u17/q/nix/store';

const CONTEXT = { homes: [], aliases: [], storeDir: '/nix/store', hashParts: [] };

function target(argument: string): Resolved {
  const place = { kind: 'tree', path: `/build/${argument}`, storePath: null, hashPart: HASH_PART } as const;
  return { argument, ...place, references: null, info: null, hashParts: [HASH_PART] };
}

describe('a NAR that comes in parts', () => {
  /** The outputs that are told where a NAR's parts come in this order, and the worker of one may die. */
  async function told(parts: readonly string[], dies: boolean): Promise<readonly OutputFacts[]> {
    const outputs: OutputFacts[] = [];
    const sink = {
      output: async (facts: OutputFacts) => void outputs.push(facts),
      error: () => undefined,
      progress: () => undefined,
    };
    const run = new Run([{ ...target('x.nar'), kind: 'nar', hashParts: [] }], CONTEXT, sink, ({ work }) => {
      for (const { target: number } of work) run.pending(number, 1);
    });
    run.start(2);
    for (const _ of parts.slice(1)) run.pending(0, 1);
    for (const leak of parts) {
      expect(outputs).toEqual([]);
      const facts = new FactSink();
      facts.addFinding(finding({ leak }));
      facts.facts.stats.files++;
      const part = [0, packFacts(facts)] as const;
      const nothing = { streams: [], hashed: [], faults: [], unfinished: [] };
      if (dies && leak === parts.at(-1)) run.lost([0], 'too much');
      else run.take({ kind: 'done', id: 0, parts: [part], ...nothing });
      run.pending(0, -1);
    }
    await run.delivered();
    return outputs;
  }

  it('is one output, told with its last part', async () => {
    const [output, ...others] = await told(['/home/a', '/home/b', '/home/c'], false);
    expect(output).toMatchObject({ target: 'x.nar', storePath: null, narHash: null, gaps: [] });
    expect([others, output?.stats.files, output?.findings.length]).toEqual([[], 3, 3]);
  });

  it('is one output with a gap where a worker died that had some of it', async () => {
    const [output, ...others] = await told(['/home/a', '/home/b', '/home/c'], true);
    expect([others, output?.findings.length]).toEqual([[], 2]);
    expect(output?.gaps.map(({ reason }) => reason)).toEqual(['internal']);
  });
});

describe('a run that is ended', () => {
  it('has a gap in what would have been scanned again for an alias', async () => {
    const told: OutputFacts[] = [];
    const sink = {
      output: async (facts: OutputFacts) => void told.push(facts),
      error: () => undefined,
      progress: () => undefined,
    };
    const run = new Run(['showing', 'slow', 'scanned'].map(target), CONTEXT, sink, ({ work }) => {
      for (const { target: number } of work) run.pending(number, 1);
    });
    run.start(1);
    const end = (number: number, facts: FactSink): void => {
      const parts = [[number, packFacts(facts)] as const];
      run.take({ kind: 'done', id: 0, parts, streams: [], hashed: [], faults: [], unfinished: [] });
      run.pending(number, -1);
    };
    const shown = new FactSink();
    shown.addFinding({
      ...finding({ leak: ALIAS }),
      rule: 'store-alias',
      home: null,
      alias: ALIAS,
      hashPart: HASH_PART,
    });
    end(0, shown);
    end(2, new FactSink());
    run.endAll();
    await run.delivered();
    expect(told.map((facts) => [facts.target, facts.gaps.map(({ reason }) => reason)])).toEqual([
      ['showing', []],
      ['slow', ['limit-time']],
      ['scanned', ['limit-time']],
    ]);
  });
});
