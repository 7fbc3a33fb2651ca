import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { NarScanError } from '../../model/errors.ts';
import { answerOf } from '../answers.ts';
import { type Admission, ANONYMOUS } from '../contracts.ts';
import type { Inspector } from '../inspector.ts';
import type { Door } from './door.ts';
import { sendAnswer } from './replies.ts';
import type { Exchange } from './server.ts';

/** What an upload goes through. */
export type Stage = 'receive' | 'inspect' | 'judge' | 'publish';

/** What is measured when somebody looks. */
export interface Gauges {
  readonly inspector: Pick<Inspector, 'load'>;
  /** Bytes that the quarantine keeps; that lie received and wait for their narinfos. */
  readonly quarantineBytes: () => number | Promise<number>;
  readonly receivedBytes: () => number | Promise<number>;
}

/** From a file of a few bytes to one of some gigabytes. */
const SECONDS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800];
const REQUEST_SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600];
const METHODS = new Set(['GET', 'HEAD', 'PUT', 'POST']);

/** Counts what the server does, for Prometheus. Labels have few values, whatever clients send. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #uploads: Counter<'outcome'>;
  readonly #bytes: Counter<'outcome'>;
  readonly #seconds: Histogram<'outcome'>;
  readonly #stages: Histogram<'stage'>;
  readonly #requests: Counter<'method' | 'route' | 'status'>;
  readonly #requestSeconds: Histogram<'method' | 'route'>;

  constructor({ inspector, quarantineBytes, receivedBytes }: Gauges) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#uploads = new Counter({
      name: 'nar_scan_uploads_total',
      help: 'NARs and narinfos that were sent, by what became of them',
      labelNames: ['outcome'],
      registers,
    });
    this.#bytes = new Counter({
      name: 'nar_scan_upload_bytes_total',
      help: 'Bytes of them, as they were sent',
      labelNames: ['outcome'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'nar_scan_upload_seconds',
      help: 'How long an upload took',
      labelNames: ['outcome'],
      buckets: SECONDS,
      registers,
    });
    this.#stages = new Histogram({
      name: 'nar_scan_stage_seconds',
      help: 'How long each stage of an upload took',
      labelNames: ['stage'],
      buckets: SECONDS,
      registers,
    });
    this.#requests = new Counter({
      name: 'nar_scan_requests_total',
      help: 'Requests that were answered',
      labelNames: ['method', 'route', 'status'],
      registers,
    });
    this.#requestSeconds = new Histogram({
      name: 'nar_scan_request_seconds',
      help: 'How long their answers took',
      labelNames: ['method', 'route'],
      buckets: REQUEST_SECONDS,
      registers,
    });
    const gauge = (name: string, help: string, value: () => number | Promise<number>): Gauge =>
      new Gauge({
        name,
        help,
        registers,
        async collect() {
          this.set(await value());
        },
      });
    gauge('nar_scan_scans_running', 'Scans that run', () => inspector.load.running);
    gauge('nar_scan_scans_waiting', 'Scans that wait for a thread', () => inspector.load.waiting);
    gauge('nar_scan_quarantine_bytes', 'Bytes that the quarantine keeps', quarantineBytes);
    gauge('nar_scan_received_bytes', 'Bytes of NARs that wait for their narinfos', receivedBytes);
  }

  /** An upload was answered. */
  admission({ outcome, bytes, milliseconds }: Admission): void {
    this.#uploads.inc({ outcome });
    this.#bytes.inc({ outcome }, bytes);
    this.#seconds.observe({ outcome }, milliseconds / 1000);
  }

  stage(stage: Stage, milliseconds: number): void {
    this.#stages.observe({ stage }, milliseconds / 1000);
  }

  /** A request was answered. */
  answered({ method, route, status, milliseconds }: Exchange): void {
    const labels = { method: METHODS.has(method) ? method : 'other', route: route ?? 'none' };
    this.#requests.inc({ ...labels, status: String(status) });
    this.#requestSeconds.observe(labels, milliseconds / 1000);
  }

  /** All of it in the text format, and the type of that. */
  async text(): Promise<{ readonly type: string; readonly text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}

/**
 * Serves what was counted to whoever has a token with the scope `read`. That anybody may fetch from a public cache does
 * not make them readers of its counters; and a proxy makes strangers look like this machine, so that being on it is no
 * right, either. A server without tokens has no strangers.
 */
export function serveMetrics(app: FastifyInstance, metrics: Metrics, door: Door): void {
  app.get('/metrics', async (request, reply) => {
    const caller = await door.admit(request, reply, 'read');
    if (caller === null) return reply;
    if (caller.name === ANONYMOUS && !caller.scopes.has('admin')) {
      await sendAnswer(
        reply,
        answerOf(new NarScanError('ACCESS_NO_TOKEN', 'counters are not for everybody')),
      );
      return reply;
    }
    const { type, text } = await metrics.text();
    return await reply.header('cache-control', 'no-store').type(type).send(text);
  });
}
