/**
 * Measures the memory of a run of 124 million parameters: `npm run measure:memory`. A coordinator trains it alone, with a member
 * of another process, and again after it was killed; then the run is verified. Each process tells its peak, and how many times
 * what its vectors take that is. All runs must end with the same weights. `--recipe tied` takes the vocabulary of GPT-2, with one
 * table for both ends. Prints what it finds, and JSON on stdout. For a Linux machine with 6 GiB.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '../../shared/actor/clock.js';
import { createPlan } from '../../shared/compiler/plan.js';
import { recipe as tied } from './memory/tied.js';
import { recipe as untied } from './memory/untied.js';
import { Program } from './soak/program.js';

const { values } = parseArgs({
  options: { recipe: { type: 'string', default: 'untied' }, steps: { type: 'string', default: '4' } },
});

/** Vectors of a coordinator: weights, the two of the optimizer, and the gradient. */
const COORDINATOR_VECTORS = 4;
/** With a member also what that sends: both are there before they are added. */
const JOINED_VECTORS = 5;
/** Vectors of a member: weights and gradient. */
const MEMBER_VECTORS = 2;
const LOOK_EVERY_MS = 100;

interface Peak {
  readonly process: string;
  readonly mebibytes: number;
  /** Times what the vectors take. */
  readonly ratio: number;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const recipe = { tied, untied }[values.recipe];
if (recipe === undefined) throw new Error(`--recipe takes tied or untied; not "${values.recipe}"`);
const file = fileURLToPath(new URL(`./memory/${values.recipe}.ts`, import.meta.url));
const vectorMebibytes =
  (createPlan(recipe.model(await recipe.data(undefined))).parameterFloats * 4) / 2 ** 20;
const folder = await mkdtemp(join(tmpdir(), 'unisum-memory-'));
const peaks: Peak[] = [];
const hashes = new Set<string>();

/** The most memory that a process has had so far. */
function peakOf(pid: number | undefined): number | undefined {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
  } catch {
    return undefined;
  }
}

/** Waits for the end of a process, and notes its peak. */
async function measured(name: string, program: Program, vectors: number): Promise<string> {
  let mebibytes = 0;
  let isOver = false;
  const look = (): void => {
    mebibytes = peakOf(program.pid) ?? mebibytes;
    if (!isOver) systemClock.after(LOOK_EVERY_MS, look);
  };
  look();
  const { stdout, stderr } = await program.ended;
  isOver = true;
  const peak = { process: name, mebibytes, ratio: mebibytes / (vectors * vectorMebibytes) };
  peaks.push(peak);
  say(`${name.padEnd(28)} ${mebibytes.toFixed(0).padStart(6)} MiB  ${peak.ratio.toFixed(2)} of its vectors`);
  if (stdout.trim() === '' && !name.includes('killed')) throw new Error(`${name} has failed:\n${stderr}`);
  return stdout;
}

function train(directory: string, ...more: readonly string[]): Program {
  const words = ['train', file, '--workers', '1', '--steps', values.steps, '--checkpoint-every', '1'];
  return new Program([...words, '--run-dir', directory, '--placement', 'all', '--json', ...more], folder);
}

function hashOf(stdout: string): void {
  hashes.add((JSON.parse(stdout) as { weightsSha256: string }).weightsSha256);
}

async function joined(coordinator: Program): Promise<Program> {
  const [, joinUrl = ''] = await coordinator.prints(/worker '([^']+)'/);
  return new Program(['worker', joinUrl, '--threads', '1', '--stay', '--json'], folder);
}

try {
  hashOf(await measured('coordinator alone', train('alone'), COORDINATOR_VECTORS));

  const first = train('joined', '--min-workers', '2');
  const member = await joined(first);
  const memberEnd = measured('member', member, MEMBER_VECTORS);
  const firstEnd = measured('coordinator, then killed', first, JOINED_VECTORS);
  await first.prints(/step 2\//);
  first.kill();
  await firstEnd;
  const resumed = new Program(['train', file, '--resume', 'joined', '--json'], folder);
  hashOf(await measured('coordinator resumed', resumed, JOINED_VECTORS));
  await memberEnd;

  const verifying = new Program(['verify', 'joined', '--recipe', file, '--workers', '1', '--json'], folder);
  hashOf(await measured('verify', verifying, COORDINATOR_VECTORS));
} finally {
  await rm(folder, { recursive: true });
}
if (hashes.size !== 1) throw new Error(`the weights differ: ${[...hashes].join(', ')}`);
process.stdout.write(`${JSON.stringify({ recipe: values.recipe, vectorMebibytes, peaks })}\n`);
