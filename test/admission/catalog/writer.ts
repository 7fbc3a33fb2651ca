/* Publishes one path after another and says each number when it is acknowledged: `writer.ts FILE PREFIX COUNT`. */
import { openCatalog } from '../../../src/admission/catalog/sqliteCatalog.ts';
import { publishedPath } from './records.ts';

const [file = '', prefix = '', count = '0'] = process.argv.slice(2);
const catalog = await openCatalog(file);
for (let number = 0; number < Number(count); number++) {
  // everyone also wants the same path, with a content of their own
  await catalog.publish(publishedPath('shared', { content: prefix }));
  await catalog.publish(publishedPath(`${prefix}${number}`));
  process.stdout.write(`${number}\n`);
}
await catalog.close();
