import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fastify, { type FastifyInstance } from 'fastify';
import type { Catalog } from '../../../src/admission/catalog.ts';
import { openCatalog } from '../../../src/admission/catalog/sqliteCatalog.ts';
import type { Scope } from '../../../src/admission/contracts.ts';
import { ReviewDesk } from '../../../src/admission/review/desk.ts';
import { reviewPages } from '../../../src/admission/review/routes.ts';
import type { OutputFacts } from '../../../src/model/facts.ts';
import { contentName } from '../../../src/nix/narHash.ts';
import { BUILT_IN_POLICY } from '../../../src/policy/policy.ts';
import { AuditLog } from '../../../src/quarantine/audit.ts';
import type { AllDecisions } from '../../../src/quarantine/decision.ts';
import { openDecisions } from '../../../src/quarantine/decisions.ts';
import type { Refused } from '../../../src/quarantine/store/bundle.ts';
import { Quarantine } from '../../../src/quarantine/store/quarantine.ts';
import { type LogLine, refuseUndocumented } from '../../support/documentedAnswers.ts';
import { judged } from '../../support/judged.ts';
import { refusedAt } from '../../support/refused.ts';
import { TreeScan } from '../../support/treeScan.ts';
import { publishedPath } from '../catalog/records.ts';

/** Somebody's name in an entry and in what is found in it. */
export const HOSTILE = `"><script>alert(1)</script>&amp;'\u202etxt`;

const HOUR = 3_600_000;

/** A tree with leaks of many kinds, and its facts by a real scan. */
function leakyTree(path: string): void {
  rmSync(path, { recursive: true, force: true });
  for (const part of ['bin', 'lib', 'share/doc']) mkdirSync(join(path, part), { recursive: true });
  const store = '/home/noamyr/nix/store/1b8m03r63zqhnjf7l5wnldhh7c134ap5-hello-2.12';
  writeFileSync(join(path, 'bin/hello'), `#!/bin/sh\nset -e\nexec ${store}/libexec/hello "$@"\n`);
  const noise = Buffer.from(Array.from({ length: 4000 }, (_, at) => (at * 31) % 251));
  const wide = Buffer.from('/home/noamyr/src/hello/main.c', 'utf16le');
  writeFileSync(join(path, 'lib/libhello.so'), Buffer.concat([noise, wide, noise]));
  writeFileSync(
    join(path, 'share/doc/manual.txt.gz'),
    gzipSync('The manual was built in /home/noamyr/doc and nowhere else.\n'),
  );
  const encoded = Buffer.from('settings of /home/noamyr/.config/hello').toString('base64');
  writeFileSync(join(path, 'share/doc/settings.json'), JSON.stringify({ version: 1, blob: encoded }));
  writeFileSync(join(path, 'share/foreign.txt'), 'as in /home/builder42/project/x.c\n');
  writeFileSync(join(path, `share/${HOSTILE.replaceAll('/', '_')}`), `${HOSTILE} /home/noamyr/x ${HOSTILE}`);
  symlinkSync('/home/noamyr/plugins', join(path, 'lib/plugins'));
}

function scanned(path: string, name: string): Refused {
  const refused = refusedAt(path, name);
  const facts = new TreeScan().scan(path);
  const stats = { entries: 9, files: 7, bytes: 9000, expandedBytes: 100, milliseconds: 3 };
  // a server that holds foreign homes makes them count
  const findings = facts.findings.map((finding) =>
    finding.rule === 'foreign-home' ? { ...finding, severity: 'error' as const } : finding,
  );
  // what lies in a container, which this scan does not open
  const [first] = facts.findings;
  if (first !== undefined) {
    const location = {
      entry: 'share/doc/manual.tar.gz',
      container: ['manual.tar', 'doc/<b>.txt'],
      offset: 21,
      outerOffset: 0,
    };
    const evidence = 'It was built in /home/noamyr/doc and nowhere else.\n';
    findings.push({ ...first, alias: null, location, evidence, marked: [16, 28] });
  }
  const whole: OutputFacts = { ...refused.facts, findings, gaps: facts.gaps, stats };
  return { ...refused, facts: whole, result: judged(whole) };
}

/** A quarantine with all that can lie in one, behind a server of its own. */
export class ReviewedState implements AsyncDisposable {
  readonly folder: string;
  readonly state: string;
  readonly failures: unknown[] = [];
  readonly catalog: Catalog;
  readonly decisions: AllDecisions & Disposable;
  readonly desk: ReviewDesk;
  readonly app: FastifyInstance;
  readonly #answered: LogLine[] = [];
  /** Who asks. */
  scopes: readonly Scope[] = ['read', 'push', 'review', 'admin'];
  /** How much later than now it is to the pages. */
  later = 0;

  readonly #settings: { state: string; policy: typeof BUILT_IN_POLICY; dryRun: boolean };

  private constructor(catalog: Catalog, decisions: AllDecisions & Disposable, folder: string) {
    this.folder = folder;
    this.state = join(folder, 'state');
    this.catalog = catalog;
    this.decisions = decisions;
    const { state } = this;
    this.#settings = { state, policy: BUILT_IN_POLICY, dryRun: false };
    const withTrail = async <T>(actor: string, act: (log: AuditLog) => Promise<T>): Promise<T> => {
      using log = await AuditLog.open(state, { actor });
      return await act(log);
    };
    const parts = { settings: this.#settings, catalog, decisions, withTrail };
    this.desk = new ReviewDesk(parts, () => Date.now() + this.later);
    this.app = fastify();
    this.app.addHook('onResponse', async ({ method, url }, { statusCode: status }) => {
      this.#answered.push({ method, path: url.split('?', 1)[0] ?? '', status });
    });
    reviewPages(this.app, {
      desk: this.desk,
      publicUrl: null,
      failed: (error) => this.failures.push(error),
      admit: async (_request, reply, scope) => {
        if (this.scopes.includes(scope)) return { name: 'alice', scopes: new Set(this.scopes), homes: [] };
        await reply.code(403).send('no');
        return null;
      },
    });
  }

  /** Whether its server refuses nothing. */
  set dryRun(is: boolean) {
    this.#settings.dryRun = is;
  }

  static async open(): Promise<ReviewedState> {
    const folder = mkdtempSync(join(tmpdir(), 'nar-scan-review-'));
    const state = join(folder, 'state');
    mkdirSync(state, { mode: 0o700 });
    const catalog = await openCatalog(join(state, 'catalog.sqlite'));
    const decisions = await openDecisions({ NAR_SCAN_STATE: state }, null, join(folder, 'none'));
    return new ReviewedState(catalog, decisions, folder);
  }

  /** Keeps an output with every kind of leak. @returns its id */
  async leaky(name = 'hello-2.12'): Promise<string> {
    const tree = join(this.folder, name);
    leakyTree(tree);
    return await this.keep(scanned(tree, name));
  }

  /** Keeps an output that could not be inspected as a whole. @returns its id */
  async incomplete(name = 'archive-1.0'): Promise<string> {
    const tree = join(this.folder, name);
    writeFileSync(tree, name);
    const refused = refusedAt(tree, name);
    const location = { entry: 'share/secret.zip', container: ['inner.zip', 'x'], offset: 7, outerOffset: 7 };
    const gaps = [{ reason: 'encrypted', location, detail: 'it is encrypted' } as const];
    const facts: OutputFacts = { ...refused.facts, findings: [], gaps };
    return await this.keep({ ...refused, facts, result: judged(facts) });
  }

  /** Keeps an output of one file. @returns its id */
  async small(name: string, home = '/home/noamyr'): Promise<string> {
    const tree = join(this.folder, name);
    writeFileSync(tree, name);
    return await this.keep(refusedAt(tree, name, [home]));
  }

  /** Keeps an output whose store path nobody has told. @param sentAs name of the object @returns its id */
  async nameless(sentAs: string, name = 'hello-2.12'): Promise<string> {
    const tree = join(this.folder, name);
    leakyTree(tree);
    const refused = refusedAt(tree, name);
    const facts: OutputFacts = { ...refused.facts, target: sentAs, storePath: null };
    return await this.keep({ ...refused, storePath: contentName(facts.narHash ?? ''), facts });
  }

  async keep(refused: Refused): Promise<string> {
    using log = await AuditLog.open(this.state, { actor: 'builder' });
    const { id } = await new Quarantine(log, BUILT_IN_POLICY.gate.quarantine).keep(refused);
    return id;
  }

  /** A day of admissions and some published paths. */
  async busy(): Promise<void> {
    const now = Date.now();
    const outcomes = [
      'admitted',
      'admitted',
      'admitted',
      'refused',
      'held',
      'incomplete',
      'malformed',
    ] as const;
    for (let hour = 0; hour < 24; hour++) {
      for (let each = 0; each < 3 + ((hour * 7) % 12); each++) {
        const outcome = outcomes[(hour * each) % outcomes.length] ?? 'admitted';
        await this.catalog.tell({ at: now - hour * HOUR, outcome, bytes: 12_345_678, milliseconds: 10 });
      }
    }
    for (let path = 0; path < 60; path++) {
      const published = publishedPath(`package-${path}`, { at: now - path * HOUR });
      await this.catalog.publish(path % 7 === 6 ? { ...published, verdict: 'contaminated' } : published);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
    this.decisions[Symbol.dispose]();
    await this.catalog.close();
    rmSync(this.folder, { recursive: true, force: true });
    refuseUndocumented(this.#answered);
  }
}
