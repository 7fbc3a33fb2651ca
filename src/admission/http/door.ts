import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { NarScanError } from '../../model/errors.ts';
import { CHALLENGE } from '../access/refused.ts';
import type { AccessRequest, Callers, Passage } from '../callers.ts';
import type { Caller, Scope } from '../contracts.ts';
import { sendAnswer } from './replies.ts';

/** Lets requests in, and remembers as whom, for the log. */
export class Door implements Callers {
  readonly #callers: Callers;
  readonly #names = new WeakMap<IncomingHttpHeaders, string>();

  constructor(callers: Callers) {
    this.#callers = callers;
  }

  async pass(request: AccessRequest, scope: Scope): Promise<Passage> {
    const passage = await this.#callers.pass(request, scope);
    const { name } = passage.caller ?? passage;
    if (name !== null) this.#names.set(request.headers, name);
    return passage;
  }

  /**
   * Who asks; null for whom the answer was told already that they may not.
   * @param mayBePerson a browser goes on with the token that it was given once unless it is asked for another one
   */
  async admit(
    request: FastifyRequest,
    reply: FastifyReply,
    scope: Scope,
    mayBePerson = false,
  ): Promise<Caller | null> {
    const passage = await this.pass(accessRequestOf(request), scope);
    if (passage.caller !== null) return passage.caller;
    const { refusal, headers, name } = passage;
    const isBasic = /^basic /i.test(request.headers.authorization ?? '');
    const isAskedAgain = mayBePerson && isBasic && refusal.status === 403 && name !== null;
    reply.headers(isAskedAgain ? CHALLENGE : headers);
    await sendAnswer(reply, isAskedAgain ? { ...refusal, status: 401 } : refusal);
    return null;
  }

  /**
   * Whoever was let in and is still to be let in.
   * @throws NarScanError ACCESS_UNKNOWN_TOKEN
   */
  async again(request: FastifyRequest, scope: Scope): Promise<Caller> {
    const { caller } = await this.pass(accessRequestOf(request), scope);
    if (caller !== null) return caller;
    throw new NarScanError('ACCESS_UNKNOWN_TOKEN', 'the token does not count any more');
  }

  /** Whose request it is, let in or not; null for nobody. */
  nameOf(request: FastifyRequest): string | null {
    return this.#names.get(request.raw.headers) ?? null;
  }
}

function accessRequestOf({ raw }: FastifyRequest): AccessRequest {
  return { headers: raw.headers, address: raw.socket.remoteAddress ?? '' };
}
