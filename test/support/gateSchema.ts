import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { ROOT } from './narScan.ts';

const schema = (file: string): object => JSON.parse(readFileSync(join(ROOT, 'src', file), 'utf8')) as object;
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false });
ajv.addSchema(schema('report/report.schema.json'));
const validate = ajv.compile(schema('guard/gate.schema.json'));

/** What guard or copy said, or a line of it, is as the schema that is shipped has it. */
export function expectGateDocument(document: unknown): void {
  expect([validate(document), validate.errors]).toEqual([true, null]);
}
