import type { Scope } from '../contracts.ts';
import { SCHEMAS } from './openapiSchemas.ts';

/** A document of OpenAPI 3.1, as far as it is used here. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
}

type Method = 'get' | 'head' | 'put' | 'post';

type PathItem = { readonly parameters?: readonly object[] } & Readonly<Partial<Record<Method, Operation>>>;

interface Operation {
  readonly summary: string;
  /** Ways to say who asks; none where nobody needs to. */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, Response>>;
}

type Content = Readonly<Record<string, { readonly schema: object }>>;

interface Response {
  readonly description: string;
  readonly headers?: object;
  readonly content?: Content;
}

const text = { 'text/plain': { schema: { type: 'string' } } };
const bytes = (type: string): Content => ({ [type]: { schema: {} } });
const json = (schema: keyof typeof SCHEMAS): Content => ({
  'application/json': { schema: { $ref: `#/components/schemas/${schema}` } },
});

/** What the line of an answer is for each status, beside that of success. */
const LINES: Readonly<Record<number, string>> = {
  400: 'What was sent is not what it says it is.',
  401: 'A token is missing, or the server does not know it.',
  403: 'It is contaminated, held for review or denied; or the token lacks a scope.',
  404: 'There is no such thing here.',
  409: 'It is published already, and is something else.',
  413: 'It is too large, or there is no room.',
  415: 'The type of what was sent is none, or not the one that is meant.',
  416: 'There are no such bytes.',
  422: 'It was not inspected as a whole, or does not fit what was sent before.',
  500: 'A fault of the server.',
  503: 'A fault that may pass: send it again.',
};

function lines(...statuses: readonly number[]): Record<string, Response> {
  return Object.fromEntries(
    statuses.map((status) => [status, { description: LINES[status] ?? '', content: text }]),
  );
}

/** What may stand in the way of whoever asks, whatever for. */
const NOT_LET_IN = [401, 403, 500, 503] as const;

/** The same without what is in them, as HEAD has it. */
function bodiless(responses: Operation['responses']): Operation['responses'] {
  return Object.fromEntries(
    Object.entries(responses).map(([status, { content: _content, ...response }]) => [status, response]),
  );
}

function security(scope: Scope | null): Operation['security'] {
  return scope === null ? [] : [{ basic: [scope] }, { bearer: [scope] }];
}

function parameter(name: string, pattern: string, description: string): object {
  return { name, in: 'path', required: true, description, schema: { type: 'string', pattern } };
}

const HASH_PART = parameter('hashPart', '^[0-9a-z]{32}$', 'The hash part of a store path.');
const REST = parameter('*', '.', 'As Nix names it; it may hold slashes.');

const KNOWN: Operation['responses'] = { 304: { description: 'It is what the client has.' } };

/** What clients of Nix fetch and send. @param more answers to those who fetch it */
function cacheObject(
  what: string,
  type: string,
  parameters: readonly object[],
  more: Operation['responses'] = KNOWN,
): PathItem {
  const found: Response = { description: `${what}, if it is published.`, content: bytes(type) };
  const refused = lines(404, ...NOT_LET_IN);
  return {
    ...(parameters.length > 0 && { parameters }),
    get: {
      summary: `Fetch ${what}`,
      security: security('read'),
      responses: { 200: found, ...more, ...refused },
    },
    head: {
      summary: `Ask for ${what}`,
      security: security('read'),
      responses: bodiless({ 200: found, ...(304 in more && KNOWN), ...refused }),
    },
    put: {
      summary: `Send ${what}`,
      security: security('push'),
      requestBody: { required: true, content: { [type]: { schema: {} } } },
      responses: {
        200: { description: 'It was taken, or was here.', content: text },
        ...lines(400, 404, 409, 413, 415, 422, ...NOT_LET_IN),
      },
    },
  };
}

const NAR = 'application/x-nix-nar';
const NAR_FILE = parameter(
  'file',
  '^[0-9a-z]{52}\\.nar(\\.[0-9a-z]+)?$',
  'SHA-256 of its bytes, and how they are packed.',
);
const PARTS = { ...KNOWN, 206: { description: 'A part of it.', content: bytes(NAR) }, ...lines(416) };

/** A route that is only fetched; HEAD says the same without a body. */
function fetched(
  summary: string,
  scope: Scope | null,
  responses: Operation['responses'],
  item: PathItem = {},
): PathItem {
  const operation = { summary, security: security(scope), responses };
  return { ...item, get: operation, head: { ...operation, responses: bodiless(responses) } };
}

const HTML = bytes('text/html');

/** What a page or a form of the review answers where it cannot do as asked: a page that says so, or a line. */
function notDone(...statuses: readonly number[]): Operation['responses'] {
  const found = Object.entries(lines(...statuses, ...NOT_LET_IN));
  return Object.fromEntries(
    found.map(([status, response]) => [status, { ...response, content: { ...HTML, ...text } }]),
  );
}

/** A page for people. */
function page(summary: string, item: PathItem = {}): PathItem {
  const shown = { description: 'A page.', content: HTML };
  return fetched(summary, 'review', { 200: shown, ...notDone(404) }, item);
}

/** A form of such a page. */
function form(summary: string, scope: Scope): Operation {
  return {
    summary,
    security: security(scope),
    requestBody: {
      required: true,
      content: { 'application/x-www-form-urlencoded': { schema: { type: 'object' } } },
    },
    responses: {
      303: { description: 'Done: the page shows it.' },
      ...notDone(400, 404, 409, 413, 415),
    },
  };
}

const ID = { parameters: [parameter('id', '^[0-9a-f]{4,16}$', 'The id of an output in quarantine.')] };

/** The pages for people: their forms take tokens that only these pages have. */
const REVIEW: OpenApiDocument['paths'] = {
  '/review': page('What is in quarantine, and how much came in the last day'),
  '/review/outputs/{id}': page('An output, with what was found in it', ID),
  '/review/outputs/{id}/release': { ...ID, post: form('Let it through in spite of that', 'review') },
  '/review/outputs/{id}/deny': { ...ID, post: form('Never let it through', 'review') },
  '/review/outputs/{id}/approve': { ...ID, post: form('Settle a home that was found in it', 'review') },
  '/review/outputs/{id}/purge': { ...ID, post: form('Take what was kept of it away', 'admin') },
  '/review/denials': {
    ...page('What is never let through'),
    post: form('Never let a store path or a content through', 'review'),
  },
  '/review/decisions/{record}/lift': {
    parameters: [parameter('record', '^[0-9]+$', 'The number of its record in the audit trail.')],
    post: form('Take a decision back', 'review'),
  },
  '/review/homes': page('Homes that were settled'),
  '/review/published': page('What was published, and what of it is not served'),
  '/review/trail': page('The audit trail'),
  '/review/style.css': fetched('What the pages look like', 'review', {
    200: { description: 'A style sheet.', content: bytes('text/css') },
    ...lines(...NOT_LET_IN),
  }),
};

const PATHS: OpenApiDocument['paths'] = {
  '/nix-cache-info': cacheObject('what the cache is', 'text/x-nix-cache-info', []),
  '/{hashPart}.narinfo': cacheObject('a narinfo', 'text/x-nix-narinfo', [HASH_PART]),
  '/{hashPart}.ls': cacheObject('the listing of a NAR', 'application/json', [HASH_PART], {}),
  '/nar/{file}': cacheObject('a NAR', NAR, [NAR_FILE], PARTS),
  '/log/{*}': cacheObject('the log of a build', 'text/plain', [REST]),
  '/debuginfo/{*}': cacheObject('where debugging information lies', 'application/json', [REST]),
  '/realisations/{*}': cacheObject('a realisation', 'application/json', [REST]),
  '/build-trace-v2/{*}': cacheObject('a realisation, as newer clients name it', 'application/json', [REST]),
  '/api/v1/check': {
    post: {
      summary: 'Search a NAR or an export stream, and keep nothing of it',
      security: security('push'),
      requestBody: { required: true, content: { 'application/octet-stream': { schema: {} } } },
      responses: {
        200: {
          description: 'What was found, whatever it is.',
          headers: {
            'nar-scan-signature': {
              description:
                'Of the statement in the document, by the key for verdicts: name:base64 of Ed25519.',
              schema: { type: 'string' },
            },
          },
          content: json('Check'),
        },
        ...lines(400, 413, 415, 422, ...NOT_LET_IN),
      },
    },
  },
  '/api/v1/verdict/{hashPart}': fetched(
    'What was found in a published path',
    'read',
    { 200: { description: 'The signed record.', content: json('Verdict') }, ...lines(404, ...NOT_LET_IN) },
    { parameters: [HASH_PART] },
  ),
  '/api/v1/keys': fetched('The public keys of the server', 'read', {
    200: { description: 'As Nix writes keys.', content: json('Keys') },
    ...lines(...NOT_LET_IN),
  }),
  '/api/v1/homes': {
    ...fetched('The homes that are known of whoever asks', 'push', {
      200: { description: 'All of them.', content: json('Homes') },
      ...lines(...NOT_LET_IN),
    }),
    post: {
      summary: 'Have more homes searched for in what this token sends; none is ever taken away',
      security: security('push'),
      requestBody: { required: true, content: json('HomesRequest') },
      responses: {
        200: { description: 'All that are known now.', content: json('Homes') },
        ...lines(400, 413, 415, 422, ...NOT_LET_IN),
      },
    },
  },
  '/api/v1/openapi.json': fetched('This document', 'read', {
    200: { description: 'OpenAPI 3.1.', content: bytes('application/json') },
    ...lines(...NOT_LET_IN),
  }),
  ...REVIEW,
  '/metrics': fetched('Counters for Prometheus; never without a token, but where there are none', 'read', {
    200: { description: 'In the text format of Prometheus.', content: text },
    ...lines(...NOT_LET_IN),
  }),
  '/healthz': fetched('Whether the process runs', null, { 200: { description: 'It does.', content: text } }),
  '/readyz': fetched('Whether it can work', null, {
    200: { description: 'It can.', content: text },
    ...lines(503),
  }),
};

/** All that the server answers to, for programs. @param version of the server */
export function openApi(version: string): OpenApiDocument {
  return {
    openapi: '3.1.0',
    info: {
      title: 'nar-scan serve',
      version,
      description:
        'A binary cache in which nothing lies that was not inspected. Answers that are no documents are one line of text. What is no request of HTTP is answered with 400, 413 or 431, whatever it asks for.',
    },
    paths: PATHS,
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic', description: 'The password is the token; any user.' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  };
}
