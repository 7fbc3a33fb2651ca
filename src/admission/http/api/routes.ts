import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { SecretKey } from '../../../nix/signature.ts';
import { printableJson } from '../../../report/printable.ts';
import type { Catalog } from '../../catalog.ts';
import { verdictOf } from '../../publication/verdict.ts';
import type { Door } from '../door.ts';
import { openApi } from '../openapi.ts';
import { NOT_FOUND, sendAnswer } from '../replies.ts';
import { leaveBodies } from '../requestBody.ts';
import { check, type CheckParts } from './check.ts';
import { registerHomes } from './homes.ts';

/** What the interface for programs works with. */
export interface ApiParts extends CheckParts {
  readonly door: Door;
  readonly catalog: Pick<Catalog, 'published' | 'addHomes'>;
  /** Signs narinfos; null: nothing does. */
  readonly signingKey: SecretKey | null;
}

/**
 * The interface for programs, below `/api/v1`: what was found in a published path, a check that publishes nothing, the
 * homes of whoever asks. Whatever goes wrong is one line of text, as everywhere in the server.
 */
export function serveApi(app: FastifyInstance, parts: ApiParts): void {
  const { door, catalog, verdictKey, signingKey } = parts;
  void app.register(async (api) => {
    leaveBodies(api);

    api.post('/api/v1/check', async (request, reply) => {
      const caller = await door.admit(request, reply, 'push');
      if (caller === null) return reply;
      const { signature, pieces } = await check(request.raw, caller, parts);
      reply.header('nar-scan-signature', signature);
      return await json(reply).send(Readable.from(pieces));
    });

    api.get<{ Params: { hashPart: string } }>('/api/v1/verdict/:hashPart', async (request, reply) => {
      if ((await door.admit(request, reply, 'read')) === null) return reply;
      const path = await catalog.published(request.params.hashPart);
      if (path === null) {
        await sendAnswer(reply, NOT_FOUND);
        return reply;
      }
      return await sendJson(reply, verdictOf(path, verdictKey));
    });

    api.get('/api/v1/keys', async (request, reply) => {
      if ((await door.admit(request, reply, 'read')) === null) return reply;
      const signing = signingKey?.publicText ?? null;
      return await sendJson(reply, { schema: 'nar-scan/keys-v1', verdict: verdictKey.publicText, signing });
    });

    api.get('/api/v1/homes', async (request, reply) => {
      const caller = await door.admit(request, reply, 'push');
      return caller === null ? reply : await sendHomes(reply, caller.homes);
    });

    api.post('/api/v1/homes', async (request, reply) => {
      const caller = await door.admit(request, reply, 'push');
      if (caller === null) return reply;
      return await sendHomes(reply, await registerHomes(request.raw, caller, catalog));
    });

    api.get('/api/v1/openapi.json', async (request, reply) => {
      if ((await door.admit(request, reply, 'read')) === null) return reply;
      return await sendJson(reply, openApi(parts.tool.version));
    });
  });
}

async function sendHomes(reply: FastifyReply, homes: readonly string[]): Promise<FastifyReply> {
  return await sendJson(reply, { schema: 'nar-scan/registered-homes-v1', homes });
}

async function sendJson(reply: FastifyReply, document: object): Promise<FastifyReply> {
  return await json(reply).send(`${printableJson(document)}\n`);
}

function json(reply: FastifyReply): FastifyReply {
  return reply.type('application/json; charset=utf-8').header('cache-control', 'no-store');
}
