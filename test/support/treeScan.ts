import { createMatcher } from '../../src/kernel/create.ts';
import type { ByteString } from '../../src/model/bytes.ts';
import type { NeedleContext } from '../../src/needles/compile.ts';
import { FactSink, type PartialFacts } from '../../src/sources/factSink.ts';
import { FileContents, type Pace } from '../../src/sources/fileContents.ts';
import { type Inspection, prepareInspection } from '../../src/sources/inspection.ts';
import { type TreePiece, TreeScanner } from '../../src/sources/tree.ts';
import { Window, windowsBytes } from '../../src/inspect/window.ts';

/** The home that leaks in tests. */
export const HOME = '/home/noamyr';

/** What one worker has to scan trees with, in this thread. */
export class TreeScan {
  readonly files: FileContents;
  readonly inspection: Inspection;
  readonly scanner: TreeScanner;

  /** @param pace of the thread that reads, where it has other things to do */
  constructor(context: Partial<NeedleContext> = {}, maxDepth = 16, pace?: Pace) {
    const matcher = createMatcher({ size: windowsBytes(maxDepth) });
    this.files = new FileContents(new Window(matcher), pace);
    this.scanner = new TreeScanner(this.files);
    const needles = { homes: [HOME], aliases: [], storeDir: '/nix/store', hashParts: [], ...context };
    this.inspection = prepareInspection(matcher, needles, { maxDepth });
  }

  /** Scans a whole tree, piece by piece; `between` is called before each piece. */
  scan(path: ByteString, between: (piece: TreePiece) => void = () => undefined): PartialFacts {
    const sink = new FactSink();
    const pieces: TreePiece[] = [{ kind: 'root', path }];
    for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
      between(piece);
      this.scanner.scan(piece, this.inspection, sink, (more) => pieces.push(more));
    }
    return sink.sorted();
  }
}

/** `entry reason` of each gap, in order. */
export const gapLines = ({ gaps }: PartialFacts): readonly string[] =>
  gaps.map(({ reason, location }) => `${location.entry} ${reason}`);

/** `entry rule carrier` of each finding, in order. */
export const leakLines = ({ findings }: PartialFacts): readonly string[] =>
  findings.map(({ rule, carrier, location }) => `${location.entry} ${rule} ${carrier}`);
