import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { answerOf } from '../../../src/admission/answers.ts';
import { type ApiParts, serveApi } from '../../../src/admission/http/api/routes.ts';
import { type CacheSources, serveCache } from '../../../src/admission/http/cacheRoutes.ts';
import type { Door } from '../../../src/admission/http/door.ts';
import { tellHealth } from '../../../src/admission/http/health.ts';
import { type Metrics, serveMetrics } from '../../../src/admission/http/metrics.ts';
import { openApi } from '../../../src/admission/http/openapi.ts';
import { takeUploads, type UploadTakers } from '../../../src/admission/http/uploadRoutes.ts';
import { reviewPages, type ReviewRoutes } from '../../../src/admission/review/routes.ts';
import { ERRORS, type ErrorCode, NarScanError } from '../../../src/model/errors.ts';
import { ROOT } from '../../support/narScan.ts';

/** Functions that mount routes, by their names; what they work with is not asked for before a request comes. */
const MOUNTS = {
  serveCache: (app) => serveCache(app, {} as CacheSources),
  takeUploads: (app) => takeUploads(app, {} as UploadTakers),
  serveApi: (app) => serveApi(app, {} as ApiParts),
  serveMetrics: (app) => serveMetrics(app, {} as Metrics, {} as Door),
  tellHealth: (app) => tellHealth(app, [], () => undefined),
  reviewPages: (app) => reviewPages(app, {} as ReviewRoutes),
} satisfies Record<string, (app: ReturnType<typeof fastify>) => void>;

/** `GET /nar/{file}` for each route of the server. */
async function served(): Promise<readonly string[]> {
  const routes = new Set<string>();
  const app = fastify({ exposeHeadRoutes: true });
  app.addHook('onRoute', ({ method, url }) => {
    const path = url.replaceAll(/:([A-Za-z]+)/g, '{$1}').replace('*', '{*}');
    for (const each of [method].flat()) routes.add(`${each} ${path}`);
  });
  for (const mount of Object.values(MOUNTS)) void app.register(async (scope) => mount(scope as never));
  await app.ready();
  return [...routes].toSorted();
}

const METHODS = ['get', 'head', 'put', 'post'] as const;

describe('the OpenAPI document', () => {
  it('has every route of the server, and no other', async () => {
    const told = Object.entries(openApi('0').paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method] !== undefined).map(
        (method) => `${method.toUpperCase()} ${path}`,
      ),
    );
    expect(told.toSorted()).toEqual(await served());
  });

  it('is compared with all that the server mounts', () => {
    const server = readFileSync(join(ROOT, 'src/admission/server.ts'), 'utf8');
    const mounted = [
      ...server.matchAll(/\b(\w+)\((?:app|cache|pages|scope|[a-z]+ as FastifyInstance), /g),
    ].map(([, name = '']) => name);
    expect(mounted.filter((name) => !(name in MOUNTS))).toEqual([]);
    expect(mounted).toContain('serveApi');
  });

  it('names the parameters of each path, and who may do it', () => {
    for (const [path, item] of Object.entries(openApi('0').paths)) {
      const named = [...path.matchAll(/\{(.+?)\}/g)].map(([, name]) => name);
      expect([path, (item.parameters ?? []).map((each) => (each as { name: string }).name)]).toEqual([
        path,
        named,
      ]);
      for (const method of METHODS) {
        const operation = item[method];
        if (operation === undefined) continue;
        expect([path, operation.security.length]).toEqual([path, /^\/(?:health|ready)z$/.test(path) ? 0 : 2]);
        expect(Object.keys(operation.responses).some((status) => /^[23]/.test(status))).toBe(true);
      }
    }
  });

  it('tells of every status that an error of an upload has', () => {
    const statuses = Object.keys(ERRORS).map(
      (code) => answerOf(new NarScanError(code as ErrorCode, 'x')).status,
    );
    for (const [path, { put }] of Object.entries(openApi('0').paths)) {
      if (put === undefined) continue;
      const missing = statuses.filter((status) => !(status in put.responses));
      expect([path, new Set(missing)]).toEqual([path, new Set()]);
    }
  });

  it('has schemas that are schemas, and references that lead to them', () => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    const { components, paths } = openApi('0');
    for (const schema of Object.values(components.schemas)) expect(() => ajv.compile(schema)).not.toThrow();
    const references = JSON.stringify(paths).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
    const names = [...references].map(([, name = '']) => name);
    expect(names.filter((name) => !(name in components.schemas))).toEqual([]);
    expect(new Set(names)).toEqual(new Set(Object.keys(components.schemas)));
  });
});
