import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellWord } from '../shared/shell-word.js';
import { resumeCommand } from '../trainer/run-lines.js';

const TEXTS = [
  'runs/a-1',
  'my runs/a',
  "it's",
  '$HOME',
  '`id`',
  'a\nb',
  '*',
  '"',
  '',
  'ärger',
  '~',
  '--x=a;b',
  '\\',
  'a,{b}',
];

it('a word of a shell stands for exactly its text', () => {
  const words = TEXTS.map(shellWord).join(' ');
  const shown = execFileSync('sh', ['-c', `printf '%s\\0' ${words}`], { encoding: 'utf8' });
  expect(shown.split('\0').slice(0, -1)).toEqual(TEXTS);
  expect(shellWord('runs/a-1')).toBe('runs/a-1');
});

it('a command that resumes a run takes paths with blanks and quotes', () => {
  expect(resumeCommand("it's a run", './my recipe.ts')).toContain(
    `'./my recipe.ts' --resume 'it'\\''s a run'`,
  );
});
