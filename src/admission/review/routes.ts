import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { reportError } from '../../model/report.ts';
import type { Caller, Scope } from '../contracts.ts';
import type { ReviewDesk } from './desk.ts';
import { FormTokens } from './formTokens.ts';
import { outputPage } from './pages/output.ts';
import { outputsPage } from './pages/outputs.ts';
import { denialsPage, homesPage, publishedPage, trailPage } from './pages/lists.ts';
import { type Frame, problemPage } from './page.ts';
import { decisionForm, purgeForm, releaseForm } from './formData.ts';
import { outputsQueryOf, placeInPublished, wholeNumberOf } from './query.ts';
import { isFromHere } from './sameSite.ts';
import { statusOf } from './status.ts';
import { STYLE } from './style.ts';

/** What the pages are made with. */
export interface ReviewRoutes {
  readonly desk: ReviewDesk;
  /** Who asks, if they may; else they were answered. */
  readonly admit: (request: FastifyRequest, reply: FastifyReply, scope: Scope) => Promise<Caller | null>;
  /** Where people reach the server; null: where the request says that it went. */
  readonly publicUrl: string | null;
  /** Told of what is no fault of who asked. */
  readonly failed: (error: unknown) => void;
}

/** What a form did, by the word that its page is then asked for with. */
const NOTICES = {
  released: 'Released. Whoever sent it sends it again.',
  denied: 'Denied.',
  lifted: 'Lifted.',
  purged: 'Purged.',
  settled: 'Settled. Nothing is held for this home any more. Whoever sent it sends it again.',
} as const;
type Done = keyof typeof NOTICES;

/** Nothing but our own style sheet is loaded, no script runs, and nobody puts the pages into a frame. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'cache-control': 'no-store',
  // "no-referrer" would take the Origin from our own forms
  'referrer-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

type Form = Readonly<Record<string, string>>;
type Params = Readonly<Record<string, string>>;

/** The pages for people, below `/review`. */
export function reviewPages(app: FastifyInstance, options: ReviewRoutes): void {
  const { desk, admit, publicUrl, failed } = options;
  const tokens = new FormTokens();

  app.addHook('onRequest', async (_, reply) => {
    reply.headers(HEADERS);
  });
  // of no other type are the fields texts
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: LIMITS.reviewFormBytes },
    (_, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.get('/review/style.css', async (request, reply) => {
    if ((await admit(request, reply, 'review')) === null) return reply;
    reply.header('cache-control', 'private, max-age=300');
    return await reply.type('text/css; charset=utf-8').send(STYLE);
  });

  const frameFor = (caller: Caller, error: unknown, notice: string | null): Frame => ({
    caller,
    notice,
    problem: error === null ? null : reportError(error, null),
    token: (action) => tokens.make(caller.name, action),
  });
  const send = async (reply: FastifyReply, status: number, page: string): Promise<FastifyReply> =>
    await reply.code(status).type('text/html; charset=utf-8').send(page);
  /** Its page with what went wrong on it; where there is no page to show, one that says just that. */
  const sendProblem = async (
    reply: FastifyReply,
    caller: Caller,
    error: unknown,
    show: ((frame: Frame) => Promise<string>) | null,
  ): Promise<FastifyReply> => {
    const status = statusOf(error);
    if (status >= 500) failed(error);
    const frame = frameFor(caller, error, null);
    const shown = status === 404 || show === null ? null : await show(frame).catch(() => null);
    return await send(reply, status, shown ?? problemPage(frame));
  };

  /** A page to look at. */
  const look = (path: string, show: (frame: Frame, request: FastifyRequest) => Promise<string>): void => {
    app.get(path, async (request, reply) => {
      const caller = await admit(request, reply, 'review');
      if (caller === null) return reply;
      const notice = noticeOf(request.query);
      try {
        return await send(reply, 200, await show(frameFor(caller, null, notice), request));
      } catch (error) {
        return await sendProblem(reply, caller, error, null);
      }
    });
  };

  /** A form that changes something; its page is shown again afterwards. */
  const act = (
    path: string,
    { scope, done, back }: { scope: Scope; done: Done; back: (params: Params, form: Form) => string },
    show: (frame: Frame, params: Params, form: Form) => Promise<string>,
    change: (caller: Caller, params: Params, form: Form) => Promise<void>,
  ): void => {
    app.post(path, async (request, reply) => {
      const caller = await admit(request, reply, scope);
      if (caller === null) return reply;
      const params = request.params as Params;
      const form = (request.body ?? {}) as Form;
      try {
        const action = (request.raw.url ?? '').split('?', 1)[0] ?? '';
        const isOurs = isFromHere(request.headers, publicUrl);
        if (!isOurs || !tokens.accepts(form['token'] ?? '', caller.name, action)) {
          throw new NarScanError(
            'REVIEW_FORGED',
            'this form does not come from a page of this server, or lay open for too long',
          );
        }
        await change(caller, params, form);
      } catch (error) {
        return await sendProblem(reply, caller, error, async (frame) => await show(frame, params, form));
      }
      return await reply.redirect(`${back(params, form)}?done=${done}`, 303);
    });
  };

  const showOutput = async (frame: Frame, { id = '' }: Params): Promise<string> =>
    outputPage(frame, await desk.output(id));
  const showDenials = async (frame: Frame): Promise<string> => denialsPage(frame, await desk.denials());

  look('/review', async (frame, { query }) => outputsPage(frame, await desk.outputs(outputsQueryOf(query))));
  look('/review/outputs/:id', async (frame, { params }) => await showOutput(frame, params as Params));
  look('/review/trail', async (frame, { query }) =>
    trailPage(frame, await desk.trail(wholeNumberOf((query as { before?: unknown }).before))),
  );
  look('/review/published', async (frame, { query }) =>
    publishedPage(frame, await desk.published(placeInPublished(query))),
  );
  look('/review/denials', showDenials);
  look('/review/homes', async (frame) => homesPage(frame, await desk.homes()));

  const back = ({ id = '' }: Params): string => `/review/outputs/${id}`;
  act(
    '/review/outputs/:id/release',
    { scope: 'review', done: 'released', back },
    showOutput,
    async (caller, { id = '' }, form) => {
      const { reason, expires } = releaseForm(form, Date.now());
      await desk.release(id, form['seen'] ?? '', { actor: caller.name, reason }, expires);
    },
  );
  act(
    '/review/outputs/:id/deny',
    { scope: 'review', done: 'denied', back },
    showOutput,
    async (caller, { id = '' }, form) => {
      await desk.deny(id, { actor: caller.name, ...decisionForm(form) });
    },
  );
  act(
    '/review/outputs/:id/approve',
    { scope: 'review', done: 'settled', back },
    showOutput,
    async (caller, { id = '' }, form) => {
      await desk.approve(id, form['home'] ?? '', { actor: caller.name, ...decisionForm(form) });
    },
  );
  act(
    '/review/outputs/:id/purge',
    { scope: 'admin', done: 'purged', back },
    showOutput,
    async (caller, { id = '' }, form) => {
      const { reason, whole } = purgeForm(form);
      await desk.purge(id, { actor: caller.name, reason }, whole);
    },
  );
  const toDenials = { scope: 'review', back: () => '/review/denials' } as const;
  act('/review/denials', { ...toDenials, done: 'denied' }, showDenials, async (caller, _, form) => {
    await desk.deny((form['named'] ?? '').trim(), { actor: caller.name, ...decisionForm(form) });
  });
  // a decision is lifted on the page of its output, too
  const outputIn = ({ output = '' }: Form): string | null => (/^[0-9a-f]{16}$/.test(output) ? output : null);
  act(
    '/review/decisions/:record/lift',
    {
      scope: 'review',
      done: 'lifted',
      back: (_, form) => {
        const id = outputIn(form);
        return id === null ? '/review/denials' : back({ id });
      },
    },
    async (frame, _, form) => {
      const id = outputIn(form);
      return id === null ? await showDenials(frame) : await showOutput(frame, { id });
    },
    async (caller, { record }, form) => {
      await desk.lift(wholeNumberOf(record) ?? 0, { actor: caller.name, ...decisionForm(form) });
    },
  );
}

/** What the address of a page says was done; null for anything that no form says. */
function noticeOf(query: unknown): string | null {
  const { done } = query as { readonly done?: unknown };
  return typeof done === 'string' && Object.hasOwn(NOTICES, done) ? NOTICES[done as Done] : null;
}
