import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Body } from '../uploads.ts';

/** What is beyond exact numbers is beyond every limit, too. */
const LENGTH = /^[0-9]{1,20}$/;

/** Bodies of all requests of these routes are left to whoever wants them, whatever their type. */
export function leaveBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
}

/** The body of a request that nobody has read yet. */
export function bodyOf(request: IncomingMessage): Body {
  const { 'content-length': length = '', 'content-encoding': encoding = '' } = request.headers;
  return {
    stream: request,
    length: LENGTH.test(length) ? Number(length) : null,
    encoding: encoding === '' ? null : encoding.toLowerCase(),
  };
}
