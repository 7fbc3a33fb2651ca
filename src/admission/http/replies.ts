import type { FastifyReply } from 'fastify';
import type { Answer } from '../contracts.ts';

/** Says an answer: its line is the body, which Nix shows, and the reason phrase, which 2.8 and older ones show. */
export async function sendAnswer(
  reply: FastifyReply,
  { status, line }: { readonly status: number; readonly line: string },
): Promise<void> {
  reply.raw.statusMessage = line;
  await reply
    .code(status)
    .type('text/plain; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(`${line}\n`);
}

/** The answer to somebody who looks at what is there. */
export const FRONT: Answer = {
  status: 404,
  line: 'nar-scan: this is a binary cache of Nix; its pages for people begin at /review',
};

/** The answer to what is not there, and to what nobody is to know of. */
export const NOT_FOUND: Answer = { status: 404, line: 'nar-scan: there is no such thing here' };
