import { type Import, importsOf } from './imports.js';
import { type Finding, findingAt, isTypeScript, type Source } from './source.js';

/** What the top-level folders may import, besides themselves. Nothing but tests imports scripts. */
const TOP: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  coordinator: ['shared'],
  worker: ['shared'],
  relay: ['shared', 'coordinator', 'worker'],
  trainer: ['shared', 'coordinator', 'worker', 'relay'],
  simulation: ['shared', 'coordinator', 'worker', 'relay'],
  // What a model says is the trainer's; nothing of Node may be reached that way.
  web: ['shared', 'worker', 'trainer'],
  examples: ['shared', 'trainer'],
  scripts: ['shared', 'coordinator', 'worker', 'relay', 'trainer', 'simulation', 'examples'],
  test: ['shared', 'coordinator', 'worker', 'relay', 'trainer', 'simulation', 'examples', 'scripts', 'web'],
};

/** Folders of shared/, each of which may import only those before it. Files directly in shared/ come before all. */
const SHARED: readonly string[] = [
  ...[
    'files',
    'arithmetic',
    'kernels',
    'codec',
    'graph',
    'reduction',
    'compiler',
    'optim',
    'data',
    'metrics',
  ],
  ...['engine', 'actor', 'protocol', 'link'],
];

/** Folders of shared/ that import no other folder of it. */
const INDEPENDENT: readonly string[] = ['arithmetic', 'kernels', 'reduction'];

/** What the rooms of the coordinator may import of each other. A room changes its own part of the state only. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  storage: [],
  state: ['storage'],
  compute: ['state', 'storage'],
  membership: ['state', 'storage'],
  scheduling: ['state', 'storage'],
  auditing: ['state', 'storage'],
  policies: ['state', 'storage'],
};

/** Rooms that decide: each owns a part of the coordinator's state. */
const DECIDING: readonly string[] = ['membership', 'scheduling', 'auditing', 'policies'];

/** The files that compose the deciding rooms. */
const COMPOSERS: readonly string[] = [
  'coordinator/transition.ts',
  'coordinator/training-loop.ts',
  'coordinator/run-control.ts',
  'coordinator/member-table.ts',
  'coordinator/metrics-text.ts',
  'coordinator/coordinator-state.ts',
  'coordinator/member-work.ts',
];

/** Files of deciding rooms that effects need: functions that change no state, and the links of the watchers. */
const FOR_EFFECTS: readonly string[] = [
  'coordinator/membership/frame-limits.ts',
  'coordinator/membership/watchers.ts',
  'coordinator/scheduling/answers.ts',
];

/** Parts of the worker's state. Only worker/transition.ts composes them. */
const WORKER_PARTS: readonly string[] = [
  'worker/connection.ts',
  'worker/data-fetch.ts',
  'worker/work-queue.ts',
];

/** Imports against the arrows between folders, and between rooms of the coordinator and parts of the worker. */
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
  const [fromTop = ''] = from.split('/');
  const [top = ''] = target.split('/');
  if (fromTop !== top) return whyWrongTop(from, target);
  if (top === 'shared') return whyWrongInShared(from, target);
  if (top === 'coordinator') return whyWrongInCoordinator(from, target);
  if (WORKER_PARTS.includes(from) && WORKER_PARTS.includes(target))
    return `${from} must not import ${target}: only worker/transition.ts composes the parts`;
  return undefined;
}

function whyWrongTop(from: string, target: string): string | undefined {
  const [fromTop = '', rest] = from.split('/');
  // Files beside package.json are settings of tools.
  if (rest === undefined) return undefined;
  const allowed = TOP[fromTop];
  if (allowed === undefined)
    throw new Error(`${fromTop} is a new folder: say in arrows.ts what it may import`);
  const [top = ''] = target.split('/');
  return allowed.includes(top) ? undefined : `${fromTop} must not import ${top}`;
}

function whyWrongInShared(from: string, target: string): string | undefined {
  const [fromFolder, folder] = [folderOf(from), folderOf(target)];
  if (folder === undefined || fromFolder === folder) return undefined;
  const why = `shared/${fromFolder ?? from.split('/')[1]} must not import shared/${folder}`;
  if (fromFolder !== undefined && INDEPENDENT.includes(fromFolder)) return why;
  return rankOf(folder) < rankOf(fromFolder) ? undefined : `${why}, which comes later`;
}

/** Place in the order of shared; -1 for files directly in it. */
function rankOf(folder: string | undefined): number {
  if (folder === undefined) return -1;
  const rank = SHARED.indexOf(folder);
  if (rank < 0)
    throw new Error(`shared/${folder} has no place in the order of folders: give it one in arrows.ts`);
  return rank;
}

function whyWrongInCoordinator(from: string, target: string): string | undefined {
  const [fromRoom, room] = [folderOf(from), folderOf(target)];
  if (fromRoom === room) return undefined;
  if (fromRoom === undefined) {
    const isComposed = room === undefined || !DECIDING.includes(room) || COMPOSERS.includes(from);
    if (isComposed || FOR_EFFECTS.includes(target)) return undefined;
    return `${from} must not import ${target}: only ${COMPOSERS.join(', ')} compose the rooms`;
  }
  const allowed = ROOMS[fromRoom];
  if (allowed === undefined)
    throw new Error(`coordinator/${fromRoom} is a new room: say in arrows.ts what it may import`);
  if (room === undefined)
    return `the room coordinator/${fromRoom} must not import ${target}, which composes the rooms`;
  return allowed.includes(room) ? undefined : `coordinator/${fromRoom} must not import coordinator/${room}`;
}

/** The second folder of a path such as "shared/link/link.ts"; undefined for "shared/errors.ts". */
function folderOf(path: string): string | undefined {
  const [, folder, file] = path.split('/');
  return file === undefined ? undefined : folder;
}
