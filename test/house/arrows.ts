import { type Import, importsOf } from './imports.js';
import { type Finding, findingAt, isTypeScript, type Source } from './source.js';

/** Folders of shared/, each of which may import only those before it. */
const SHARED = [
  'files',
  'arithmetic',
  'kernels',
  'graph',
  'optim',
  'sum',
  'data',
  'metrics',
  'engine',
  'actor',
  'protocol',
  'link',
] as const;

/** Folders that import less than their place would allow, with all that they do import. */
const MODEST: Readonly<Record<string, readonly string[]>> = {
  'shared/arithmetic': [],
  'shared/sum': [],
  'shared/kernels': [],
  'shared/metrics': [],
};

/** What the top-level folders may import, besides themselves. */
const TOP: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  coordinator: ['shared'],
  worker: ['shared'],
  examples: ['shared', 'coordinator', 'worker'],
  scripts: ['shared', 'coordinator', 'worker', 'examples'],
  test: ['shared', 'coordinator', 'worker', 'examples', 'scripts'],
};

/**
 * Arrows between folders: shared imports neither coordinator nor worker, those two never each other, and inside
 * shared they run up the list. Files directly in shared/ (errors) stand before all of them.
 */
export function wrongArrows(sources: readonly Source[]): Finding[] {
  const findings: Finding[] = [];
  for (const source of sources.filter(isTypeScript)) {
    for (const arrow of importsOf(source)) {
      const why = arrow.kind === 'file' ? whyWrong(source.path, arrow) : undefined;
      if (why) findings.push(findingAt(source, arrow, why));
    }
  }
  return findings;
}

function whyWrong(from: string, { target }: Import): string | undefined {
  const [fromTop = '', fromFolder = ''] = from.split('/');
  const [top = '', folder = ''] = target.split('/');
  if (fromTop !== top) {
    const allowed = TOP[fromTop];
    return allowed && !allowed.includes(top) ? `${fromTop} must not import ${top}` : undefined;
  }
  if (top !== 'shared' || fromFolder === folder) return undefined;
  const rank = rankOf(target);
  if (rank < 0) return undefined;
  const modest = MODEST[`shared/${fromFolder}`];
  if (modest && !modest.includes(folder)) return `shared/${fromFolder} must not import shared/${folder}`;
  return rank < rankOf(from)
    ? undefined
    : `shared/${fromFolder} must not import shared/${folder}, which comes later`;
}

/** Place in the order of shared; -1 for files directly in it. */
function rankOf(path: string): number {
  const [, folder = '', file] = path.split('/');
  if (file === undefined) return -1;
  const rank = (SHARED as readonly string[]).indexOf(folder);
  if (rank < 0)
    throw new Error(`shared/${folder} has no place in the order of folders: give it one in arrows.ts`);
  return rank;
}
