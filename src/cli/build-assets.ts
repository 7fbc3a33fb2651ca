import { fileURLToPath } from 'node:url';
import { copyLiblzma } from '../formats/compression/liblzma/copy-assets.ts';

/** The last step of the build: what the compiler does not put into the package. */
const dist = fileURLToPath(new URL('../../dist', import.meta.url));
copyLiblzma(dist);
