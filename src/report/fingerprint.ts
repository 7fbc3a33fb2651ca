import type { ContainerLimits } from '../inspect/containers/budget.ts';
import { compileEngine } from '../kernel/create.ts';
import { RULES } from '../model/facts.ts';
import { LIMITS } from '../model/limits.ts';
import type { NeedleContext } from '../needles/compile.ts';
import { loadDigest } from './ids.ts';
import type { ReportOrigin } from './reporter.ts';

/** Which kernel runs here, and the fingerprint of everything the findings depend on. */
export async function fingerprint(
  context: Promise<NeedleContext>,
  containers: Partial<ContainerLimits>,
): Promise<Pick<ReportOrigin, 'rules'> & { readonly kernel: string }> {
  const digest = await loadDigest();
  const depends = { rules: RULES, context: await context, limits: LIMITS, containers };
  return { kernel: compileEngine().engine, rules: digest(Buffer.from(JSON.stringify(depends))) };
}
