import { Budget } from '../../inspect/containers/budget.ts';
import type { ContentDigest } from '../../inspect/contentDigest.ts';
import { byteStringOfText } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { NeedleContext } from '../../needles/compile.ts';
import { blake3Digest } from '../../scan/blake3Digest.ts';
import { FactRoom } from '../../sources/factSink.ts';
import { InlineHasher } from '../../sources/narHasher.ts';
import type { StreamOutput } from '../../sources/narStream.ts';
import { scanSource } from '../../sources/narTarget.ts';
import { softenKnownReferences } from '../../sources/references.ts';
import { DiskSpools } from '../../sources/spool.ts';
import type { NarTargetOptions } from '../../sources/streamTarget.ts';
import { ThreadDecoder } from '../../scan/threadDecoder.ts';
import { scanTreeNar } from '../../sources/treeTarget.ts';
import type { Codec } from '../../formats/compression/codec.ts';
import { Growth } from '../intake/growth.ts';
import { GrowingSource } from './growingSource.ts';
import type { FileJob, InspectionData, Job, JobResults, NarJob, Outcome, StreamJob } from './jobs.ts';
import { NarListing } from './listing.ts';
import { Pressure } from './pressure.ts';
import { repackNar } from './repack.ts';
import { Searcher } from './searcher.ts';

/** Inspects one spool after another. */
export class InspectionWorker {
  readonly #data: InspectionData;
  readonly #pressure: Pressure;
  readonly #spools = new DiskSpools({
    memoryBytes: LIMITS.inspectionMemoryBytes,
    fileBytes: LIMITS.spoolFileBytes,
  });
  readonly #decoder = new ThreadDecoder();
  readonly #digest: ContentDigest | null;
  #forAny: Searcher | null = null;
  #forOne: Searcher | null = null;

  constructor(data: InspectionData) {
    this.#data = data;
    this.#pressure = new Pressure(data.pressure);
    this.#digest = data.digests ? blake3Digest() : null;
  }

  async run(job: Job): Promise<Outcome> {
    try {
      return await this.#run(job);
    } catch (error) {
      return failure(error);
    }
  }

  async #run(job: Job): Promise<Outcome> {
    switch (job.kind) {
      case 'nar':
        return await this.#nar(job);
      case 'stream':
        return await this.#stream(job);
      case 'file':
        return { kind: 'done', result: await this.#file(job) };
      case 'repack':
        return { kind: 'done', result: await repackNar(job, this.#data.limits) };
    }
  }

  async #nar(job: NarJob): Promise<Outcome> {
    const listing = job.listing ? new NarListing() : null;
    let compression: Codec = 'none';
    return await this.#follow(
      job,
      job.name,
      { observer: listing, packed: (codec) => (compression = codec) },
      (outputs) => {
        const output = outputs[0] as StreamOutput;
        const { narHash, narSize } = output;
        const whole = narHash === null ? null : (listing?.text() ?? null);
        const result: JobResults['nar'] = {
          compression,
          narHash,
          narSize,
          facts: this.#weighed(output.facts, job),
          listing: whole,
        };
        return result;
      },
    );
  }

  async #stream(job: StreamJob): Promise<Outcome> {
    return await this.#follow(job, null, {}, (outputs) => outputs);
  }

  /** A file as the NAR that is made of it, so that its kind is told by its name. */
  async #file({ file, name, context }: FileJob): Promise<JobResults['file']> {
    const options = {
      hasher: new InlineHasher(),
      passed: () => false,
      budget: new Budget(this.#data.limits),
      rootName: byteStringOfText(name),
      facts: roomOfUpload(),
    };
    const searcher = this.#searcherFor(context);
    const inspection = searcher.inspection(context);
    const output = await scanTreeNar(byteStringOfText(file), searcher.window, inspection, options);
    if (output === null)
      throw new NarScanError('SCAN_FAILED', 'the file is none, or changed while it was read');
    return output.facts;
  }

  async #follow(
    job: NarJob | StreamJob,
    name: string | null,
    asked: Pick<NarTargetOptions, 'observer' | 'packed'>,
    result: (outputs: readonly StreamOutput[]) => JobResults['nar' | 'stream'],
  ): Promise<Outcome> {
    const growth = job.growth === null ? null : new Growth(job.growth);
    const searcher = this.#searcherFor(job.context);
    const inspection = searcher.inspection(job.context);
    using source = new GrowingSource(job.file, growth, this.#pressure);
    const { limits } = this.#data;
    const [storePath] = job.kind === 'nar' ? job.paths : [];
    const outputs = await scanSource(source, name, searcher.window, inspection, {
      ...asked,
      ...(storePath === undefined ? {} : { rootName: byteStringOfText(storePath) }),
      exportStream: false,
      // of several outputs only one would be judged, and all of them served
      oneNar: job.kind === 'nar',
      hasher: () => new InlineHasher(),
      decode: this.#decoder.decode,
      passed: () => source.ended !== null,
      budget: new Budget(limits, undefined, 0, () => source.ended !== null),
      unpacked: limits,
      facts: roomOfUpload(),
    });
    if (source.ended === 'given-up') return { kind: 'given-up' };
    if (source.ended === 'upload-failed') throw new NarScanError('UPLOAD_TRUNCATED', 'the upload broke off');
    if (source.ended !== null) throw source.ended;
    return { kind: 'done', result: result(outputs) };
  }

  /** The facts of a NAR under what is known of its references. */
  #weighed(facts: StreamOutput['facts'], { paths, context }: NarJob): StreamOutput['facts'] {
    if (paths.length === 0) return facts;
    return softenKnownReferences(facts, paths, this.#searcherFor(context).inspection(context).set);
  }

  /**
   * One for what nobody has told the path of, one for all others: each NAR is inspected under both, and what the first
   * is prepared for is mostly the same.
   */
  #searcherFor({ hashParts }: NeedleContext): Searcher {
    const fresh = (): Searcher => new Searcher(this.#data, this.#spools, this.#digest);
    return hashParts.length === 0 ? (this.#forAny ??= fresh()) : (this.#forOne ??= fresh());
  }
}

function roomOfUpload(): FactRoom {
  return new FactRoom(LIMITS.uploadFacts, LIMITS.uploadNotes);
}

/** Errors of the system and of the program are faults of this machine, whatever they are. */
function failure(error: unknown): Outcome {
  if (error instanceof NarScanError)
    return { kind: 'failed', code: error.code, message: error.message, isFault: false };
  const { code, message } = error as NodeJS.ErrnoException;
  return { kind: 'failed', code: 'SCAN_FAILED', message: code ?? message, isFault: code === undefined };
}
