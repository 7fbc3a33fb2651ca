import { writeSync } from 'node:fs';
import type { ReportError } from '../model/report.ts';
import { printableText } from '../report/printable.ts';

const STDERR = 2;

/** Writes to stderr. A fault there has nowhere to be reported to, and must not change a verdict. */
export function writeDiagnostic(text: string): void {
  try {
    writeSync(STDERR, text);
  } catch (error) {
    void error;
  }
}

const told = new Set<string>();

/** Tells of an error on stderr, if nobody was told the same before: one cause may stop several things. */
export function tellError(error: ReportError): void {
  const line = errorLine(error);
  if (told.has(line)) return;
  told.add(line);
  writeDiagnostic(line);
}

/** One line for an error, its hint in it, everything from outside made printable. */
export function errorLine({ code, target, message, hint }: ReportError): string {
  const named = target === null || target === '' || message.includes(target) ? '' : `${target}: `;
  return `nar-scan: ${printableText(named + message)} [${code}]; ${printableText(hint)}\n`;
}
