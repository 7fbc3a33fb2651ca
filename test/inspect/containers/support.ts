import { Budget, CONTAINER_LIMITS, type ContainerLimits } from '../../../src/inspect/containers/budget.ts';
import { Window, windowsBytes } from '../../../src/inspect/window.ts';
import { createMatcher } from '../../../src/kernel/create.ts';
import type { PartialFacts } from '../../../src/sources/factSink.ts';
import { prepareInspection, type Inspection } from '../../../src/sources/inspection.ts';
import { scanSource } from '../../../src/sources/narTarget.ts';
import { DiskSpools, type SpoolLimits } from '../../../src/sources/spool.ts';
import { directory, file, nar } from '../../support/narWriter.ts';
import { PiecedSource } from '../../support/piecedSource.ts';

const HOME = '/home/noamyr';
export const LEAK = `puts("${HOME}/src/secret.c");`;

/** How one file is scanned. */
interface Way {
  readonly limits?: Partial<ContainerLimits>;
  /** Whether the NAR can be read at any place, or comes through a pipe. */
  readonly seekable?: boolean;
  readonly ended?: () => boolean;
}

/** Scans files by themselves, each as the one entry of a NAR. */
export class FileScan {
  readonly #window: Window;
  readonly #inspection: Inspection;
  readonly #depth: number;

  constructor(depth: number, spools?: SpoolLimits) {
    const matcher = createMatcher({ size: windowsBytes(depth) });
    this.#depth = depth;
    this.#window = new Window(matcher);
    const context = { homes: [HOME], aliases: [], storeDir: '/nix/store', hashParts: [] };
    this.#inspection = prepareInspection(matcher, context, {
      maxDepth: depth,
      spools: new DiskSpools(spools),
    });
  }

  async facts(name: string, bytes: Uint8Array, way: Way = {}): Promise<PartialFacts> {
    const limits = { ...CONTAINER_LIMITS, depth: this.#depth, ...way.limits };
    const options = {
      exportStream: false,
      hasher: () => null,
      passed: () => false,
      budget: new Budget(limits, undefined, 0, way.ended),
    };
    const dump = nar(directory([name, file(Buffer.from(bytes))]));
    const source = new PiecedSource(dump, [1 << 30], way.seekable ?? true);
    const [output] = await scanSource(source, null, this.#window, this.#inspection, options);
    if (output === undefined) throw new Error('no output');
    return output.facts;
  }
}

/** `container > member: rule carrier @offset outer` of each finding. */
export const places = ({ findings }: PartialFacts): readonly string[] =>
  findings.map(({ rule, carrier, location: { container, offset, outerOffset } }) =>
    [container.join(' > '), rule, carrier, offset, outerOffset].join(' | '),
  );

/** `container: reason` of each gap. */
export const gaps = (facts: PartialFacts): readonly string[] =>
  facts.gaps.map(({ reason, location }) => [...location.container, reason].join(' > '));
