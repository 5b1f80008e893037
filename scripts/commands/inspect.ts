import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { commandLine } from '../../shared/command-line.js';
import { UserError } from '../../shared/errors.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import { exists } from '../../shared/files/read-file.js';
import { shellWord } from '../../shared/shell-word.js';
import { arrayInspector, rawFolderInspector } from '../inspect/array-inspection.js';
import { audioInspector } from '../inspect/audio-inspection.js';
import { imageInspector } from '../inspect/image-inspection.js';
import type { Inspector, RecipeDraft } from '../inspect/inspection.js';
import { recipeText } from '../inspect/recipe-text.js';
import { tableInspector } from '../inspect/table-inspection.js';
import { textInspector } from '../inspect/text-inspection.js';
import type { Terminal } from '../terminal/terminal.js';
import { showWhile } from '../terminal/transient-note.js';
import type { CommandContext } from './command.js';

/** Kinds of data. The first that handles a path is used. */
const INSPECTORS: readonly Inspector[] = [
  arrayInspector,
  rawFolderInspector,
  imageInspector,
  audioInspector,
  textInspector,
  tableInspector,
];

interface InspectCommandOptions {
  target?: string;
  recipe?: string;
  json?: true;
}

/** `unisum inspect <path>`: shows how data would be read, and writes a first recipe. */
export function define(command: Command, { terminal }: CommandContext): void {
  command
    .argument('<path>', `the data: ${INSPECTORS.map(({ what }) => what).join('; ')}`)
    .option('--target <NAME>', 'of a table: the column to predict (default: a guess, which is printed)')
    .option('--recipe <FILE.ts>', 'write a first recipe for the data')
    .option('--json', 'print the result as one JSON object on the last line of stdout')
    .action(async (path: string, { target, recipe, json }: InspectCommandOptions) => {
      if (recipe !== undefined) await checkRecipePath(recipe);
      const inspector = await inspectorFor(path);
      const inspection = await showWhile('reading data', terminal.stderr, () =>
        inspector.inspect(path, { target }),
      );
      for (const line of inspection.lines) terminal.say(line);
      if (recipe !== undefined && inspection.recipe !== undefined)
        await writeRecipe(recipe, inspection.recipe, terminal);
      if (json) terminal.result({ path, ...inspection.result, ...(recipe !== undefined && { recipe }) });
      if (inspection.recipe === undefined)
        throw new UserError(`${path} cannot be used for training yet; fix the problems above`);
    });
}

async function inspectorFor(path: string): Promise<Inspector> {
  for (const inspector of INSPECTORS) if (await inspector.handles(path)) return inspector;
  const [file, ...others] = await filesToInspect(path);
  if (file !== undefined)
    throw new UserError(
      `${path} is a folder with ${others.length === 0 ? file : `${others.length + 1} files that can be inspected, one at a time`}; ` +
        `name ${others.length === 0 ? 'it' : 'one'}, such as ${join(path, file)}`,
      2,
    );
  throw new UserError(
    `${path} cannot be inspected; name ${INSPECTORS.map(({ what }) => what).join(' or ')}`,
    2,
  );
}

/** Tables, texts and arrays in a folder. */
async function filesToInspect(path: string): Promise<string[]> {
  if (!(await stat(path).catch(() => undefined))?.isDirectory()) return [];
  return (await readdir(path))
    .filter((name) => /\.(csv|tsv|tab|parquet|arrows?|feather|npz|npy|txt)(\.gz)?$/i.test(name))
    .sort((a, b) => (a < b ? -1 : 1));
}

/** @throws UserError (wrong usage) when the path is taken, or is not that of a TypeScript file */
async function checkRecipePath(path: string): Promise<void> {
  if (!/\.[cm]?ts$/.test(path))
    throw new UserError(
      `--recipe takes the name of a TypeScript file, such as ./recipe.ts, not "${path}"`,
      2,
    );
  if (await exists(path))
    throw new UserError(`${path} already exists; choose another name for the recipe, or remove it`, 2);
}

async function writeRecipe(path: string, draft: RecipeDraft, terminal: Terminal): Promise<void> {
  await writeFileAtomically(path, [Buffer.from(recipeText(draft))]);
  terminal.say(`a first recipe: ${path}; train it with  ${commandLine(`train ${shellWord(path)}`)}`);
}
