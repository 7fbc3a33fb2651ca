import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { TokenCallers } from '../../../../src/admission/access/tokenCallers.ts';
import { makeToken, parseTokens } from '../../../../src/admission/access/tokens.ts';
import type { Catalog } from '../../../../src/admission/catalog.ts';
import { openCatalog } from '../../../../src/admission/catalog/sqliteCatalog.ts';
import { DiskRoom } from '../../../../src/admission/diskRoom.ts';
import { serveApi } from '../../../../src/admission/http/api/routes.ts';
import { Door } from '../../../../src/admission/http/door.ts';
import { Metrics, serveMetrics } from '../../../../src/admission/http/metrics.ts';
import { bareServer } from '../../../../src/admission/http/server.ts';
import { SpoolDirectory } from '../../../../src/admission/intake/spool.ts';
import { ruleOn } from '../../../../src/admission/judgement/rule.ts';
import { generateSecretKey } from '../../../../src/nix/signature.ts';
import { refuseUndocumented } from '../../../support/documentedAnswers.ts';
import { Inspections } from '../../../support/inspections.ts';
import { groundsOf } from '../../judgement/rulings.ts';

const SCOPES = ['read', 'push', 'review', 'admin'] as const;
const MADE = SCOPES.map((scope) => ({
  scope,
  ...makeToken({
    name: scope,
    scopes: [scope],
    homes: scope === 'push' ? ['/home/noamyr'] : [],
    expires: null,
  }),
}));
const TOKENS = parseTokens(Buffer.from(MADE.map(({ entry }) => entry).join('')), 'tokens');

/** The interface for programs, of real parts. */
export class ApiServer implements AsyncDisposable {
  readonly verdictKey = generateSecretKey('verdict-1');
  readonly signingKey = generateSecretKey('cache-1');
  /** What people decided. */
  decided: Parameters<typeof groundsOf>[0] = {};
  readonly catalog: Catalog;
  readonly #log: object[] = [];
  readonly #inspections: Inspections;
  readonly #app: FastifyInstance;

  private constructor(inspections: Inspections, catalog: Catalog, anonymousRead: boolean) {
    this.#inspections = inspections;
    this.catalog = catalog;
    const { inspector } = inspections;
    const source = { tokens: TOKENS };
    const door = new Door(new TokenCallers({ source, catalog, anonymousRead, failed: () => undefined }));
    const metrics = new Metrics({ inspector, quarantineBytes: () => 7, receivedBytes: async () => 11 });
    const app = bareServer(
      pino({}, { write: (line) => void this.#log.push(JSON.parse(line) as object) }),
      door,
      (exchange) => metrics.answered(exchange),
    );
    serveApi(app, {
      door,
      catalog,
      inspector,
      judge: { rule: async (facts, subject) => ruleOn(facts, subject, groundsOf(this.decided)) },
      spool: SpoolDirectory.open(this.#spool),
      room: new DiskRoom(this.#spool),
      storeDir: '/nix/store',
      verdictKey: this.verdictKey,
      signingKey: this.signingKey,
      tool: { name: 'nar-scan', version: '0', kernel: 'simd' },
      most: 1024 * 1024,
    });
    serveMetrics(app, metrics, door);
    metrics.admission({ at: 0, outcome: 'refused', bytes: 100, milliseconds: 1500 });
    metrics.stage('inspect', 20);
    this.#app = app;
  }

  static async start(anonymousRead = false): Promise<ApiServer> {
    const inspections = new Inspections();
    const catalog = await openCatalog(join(inspections.folder, 'catalog.sqlite'));
    const server = new ApiServer(inspections, catalog, anonymousRead);
    await server.#app.ready();
    server.#app.server.listen(0, '127.0.0.1');
    await once(server.#app.server, 'listening');
    return server;
  }

  get #spool(): string {
    return join(this.#inspections.folder, 'spool');
  }

  /** Names of what lies in the spool. */
  get spooled(): readonly string[] {
    return readdirSync(this.#spool);
  }

  get port(): number {
    return (this.#app.server.address() as AddressInfo).port;
  }

  /** @param scope whose token is sent; null: none */
  headers(scope: (typeof SCOPES)[number] | null): Record<string, string> {
    const secret = MADE.find((each) => each.scope === scope)?.secret;
    return secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  }

  async ask(
    path: string,
    scope: (typeof SCOPES)[number] | null,
    request: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const headers = { ...request.headers, ...this.headers(scope) };
    return await fetch(`http://127.0.0.1:${this.port}${path}`, { ...request, headers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#app.server.closeAllConnections();
    await this.#app.close();
    await this.catalog.close();
    await this.#inspections[Symbol.asyncDispose]();
    refuseUndocumented(this.#log);
  }
}
