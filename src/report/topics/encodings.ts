import { type Encoding, ENCODINGS } from '../../model/facts.ts';
import type { Topic } from './topic.ts';

/** How the path is written, and who writes it so. */
const WORDS: Readonly<Record<Encoding, readonly [what: string, cause: string]>> = {
  plain: ['The bytes of the path as they are.', 'Most things write paths so.'],
  utf16le: [
    'UTF-16, the lower byte first.',
    '.NET, Windows resources, Java on little-endian machines, wide literals of C.',
  ],
  utf16be: ['UTF-16, the higher byte first.', 'Translations of Qt, Java resources, network protocols.'],
  utf32le: ['UTF-32, the lowest byte first.', 'wchar_t literals of C and Python on Linux.'],
  utf32be: ['UTF-32, the highest byte first.', 'wchar_t literals on big-endian machines.'],
  'json-slash': ['With its slashes escaped as in JSON: \\/.', 'JSON written by PHP and by older libraries.'],
  percent: [
    'With its slashes or letters percent-encoded: %2F.',
    'URLs, desktop files, caches that are named by paths.',
  ],
  'unicode-escape': ['With its slashes or letters as \\u002f.', 'JSON, JavaScript, Java properties.'],
  'hex-escape': [
    'With its slashes or letters as \\x2f.',
    'String literals of C, Python, JavaScript and shells.',
  ],
  'html-entity': [
    'With its slashes or letters as &#47; or &#x2F;.',
    'HTML reports, generated documentation, XML.',
  ],
  'double-backslash': [
    'A Windows path with its backslashes doubled.',
    'JSON, C and JavaScript literals with Windows paths.',
  ],
  base64: [
    'In base64, at any of its three alignments.',
    'Inline source maps, data URLs, signatures, certificates.',
  ],
  base64url: ['In base64 with - and _ instead of + and /.', 'Web tokens, file names made of paths.'],
  hex: ['As hexadecimal digits, two a byte.', 'Dumps, caches, databases as text.'],
};

/** Every encoding, explained. */
export const ENCODING_TOPICS: readonly Topic[] = ENCODINGS.map((encoding) => ({
  kind: 'encoding',
  name: encoding,
  what: WORDS[encoding][0],
  why: 'A search for the plain path does not find it, and whatever decodes it follows or shows it all the same.',
  cause: WORDS[encoding][1],
  mend: [
    'As for the plain path: what wrote it was given it. nar-scan explain RULE says what to change.',
    'A report shows the decoded text; its offset is that of the encoded bytes.',
  ],
  waive: [],
}));
