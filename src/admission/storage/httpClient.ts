import * as http from 'node:http';
import * as https from 'node:https';

type Headers = Readonly<Record<string, string | number>>;

/**
 * Asks one server. Its connections are kept and used again, and one on which nothing moves for a while is ended.
 * (Node's `fetch` would unpack what comes, and cannot send a file with its length.)
 */
export class HttpClient {
  readonly #base: URL;
  readonly #headers: Headers;
  readonly #milliseconds: number;
  readonly #agent: http.Agent;

  /** @param authorization value of the header; null for none */
  constructor(base: URL, authorization: string | null, milliseconds: number) {
    this.#base = base;
    this.#milliseconds = milliseconds;
    this.#headers = {
      'user-agent': 'nar-scan',
      'accept-encoding': 'identity',
      ...(authorization === null ? {} : { authorization }),
    };
    const { Agent } = base.protocol === 'https:' ? https : http;
    this.#agent = new Agent({ keepAlive: true });
  }

  /**
   * Sends a request and resolves with the answer when its headers are there. Where the server had just ended a
   * connection that was kept, all is sent once more.
   *
   * @param send writes the body and ends it; what it rejects with is left to the answer
   * @throws the system's error, or Error where nothing came for too long
   */
  async ask(
    method: string,
    path: string,
    headers: Headers = {},
    send?: (request: http.ClientRequest) => Promise<void>,
  ): Promise<http.IncomingMessage> {
    for (;;) {
      const request = this.#request(method, path, headers);
      const sent = send?.(request);
      if (send === undefined) request.end();
      try {
        return await answerOf(request, sent);
      } catch (error) {
        request.destroy();
        if (!request.reusedSocket || !saysEnded(error)) throw error;
      }
    }
  }

  #request(method: string, path: string, headers: Headers): http.ClientRequest {
    const { request } = this.#base.protocol === 'https:' ? https : http;
    const { hostname, port } = this.#base;
    const asked = request({
      // an IPv6 address stands in brackets only in a URL
      hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      method,
      path,
      headers: { ...this.#headers, ...headers },
      agent: this.#agent,
      timeout: this.#milliseconds,
    });
    let answer: http.IncomingMessage | null = null;
    asked.on('response', (response) => (answer = response));
    asked.on('timeout', () => {
      // what has come and nobody takes is a slow reader's
      if (answer !== null && answer.readableLength > 0) asked.setTimeout(this.#milliseconds);
      else (answer ?? asked).destroy(new Error(`nothing came from it for ${this.#milliseconds / 1000} s`));
    });
    return asked;
  }
}

/** The answer may come before all is sent, as a refusal does; a fault of the file that is sent is the request's. */
async function answerOf(
  request: http.ClientRequest,
  sent: Promise<void> | undefined,
): Promise<http.IncomingMessage> {
  return await new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    sent?.catch(reject);
  });
}

function saysEnded(error: unknown): boolean {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE';
}
