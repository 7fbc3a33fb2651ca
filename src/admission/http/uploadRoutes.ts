import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Answer, Caller } from '../contracts.ts';
import type { NarUploads, Publications } from '../uploads.ts';
import { cacheObjectOf, plainPathOf } from './cachePath.ts';
import { CACHE_PATHS } from './cacheRoutes.ts';
import type { Door } from './door.ts';
import type { UnderWay } from './underWay.ts';
import { NOT_FOUND, sendAnswer } from './replies.ts';
import { bodyOf, leaveBodies } from './requestBody.ts';

/** What uploads are given to. */
export interface UploadTakers {
  readonly uploads: NarUploads;
  readonly publications: Publications;
  readonly door: Door;
  readonly underWay: UnderWay;
}

/** Takes what clients of Nix send. Nothing of a body is read, or asked for, before it is known who sends it. */
export function takeUploads(app: FastifyInstance, takers: UploadTakers): void {
  leaveBodies(app);
  const take = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const caller = await takers.door.admit(request, reply, 'push');
    if (caller !== null)
      await sendAnswer(reply, await takers.underWay.track(answerTo(request, caller, takers)));
    return reply;
  };
  for (const url of CACHE_PATHS) app.put(url, take);
}

async function answerTo(
  request: FastifyRequest,
  caller: Caller,
  { uploads, publications, door }: UploadTakers,
): Promise<Answer> {
  const { raw } = request;
  const path = plainPathOf(raw.url ?? '');
  const object = path === null ? null : cacheObjectOf(path);
  if (object === null) return NOT_FOUND;
  const body = bodyOf(raw);
  const sender = async (): Promise<Caller> => await door.again(request, 'push');
  switch (object.kind) {
    case 'info':
      return await publications.cacheInfo(body);
    case 'narinfo':
      return await publications.narInfo(object.hashPart, body, sender);
    case 'nar':
      return (
        (await uploads.before(object.name, body.length, caller)) ??
        (await uploads.put(object.name, body, caller))
      );
    case 'listing':
    case 'object':
      return await publications.object(object.name, body, sender);
  }
}
