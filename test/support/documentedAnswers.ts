import { openApi } from '../../src/admission/http/openapi.ts';

/** Of a line of the server's log, what was asked for and how that was answered; null: the client was gone by then. */
export interface LogLine {
  readonly method?: string;
  /** Without its query. */
  readonly path?: string;
  readonly status?: number | null;
}

const ROUTES = Object.entries(openApi('0').paths).map(([route, item]) => {
  const parts = route.split(/\{.+?\}/).map((part) => part.replaceAll('.', '\\.'));
  return { route, item, form: new RegExp(`^${parts.join(route.includes('*') ? '.+' : '[^/]+')}$`) };
});

/**
 * Every answer of a route of the server is to be in the OpenAPI document.
 * @param log lines of the server's log; those that are about no request are passed over
 * @throws with all that are not, such as `GET /healthz 418`
 */
export function refuseUndocumented(log: readonly LogLine[]): void {
  const found = new Set<string>();
  for (const { method = '', path = '', status } of log) {
    for (const { route, item, form } of ROUTES) {
      const operation = item[method.toLowerCase() as 'get'];
      if (operation === undefined || typeof status !== 'number' || !form.test(path)) continue;
      if (!(status in operation.responses)) found.add(`${method} ${route} ${status}`);
    }
  }
  if (found.size > 0) throw new Error(`openapi.ts does not tell of ${[...found].toSorted().join(', ')}`);
}

/** The lines of a log of JSON; what is none, and what was not written to its end, is left out. */
export function logLines(log: string): readonly LogLine[] {
  const whole = log.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  return whole.map((line) => JSON.parse(line) as LogLine);
}
