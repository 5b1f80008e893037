import { describe, expect, it } from 'vitest';
import type { CommandContext, CommandEntry } from '../../scripts/commands/command.js';
import { runProgram } from '../../scripts/commands/program.js';
import { DEFAULT_RECIPE, findRecipe } from '../../scripts/commands/recipes.js';
import { commands } from '../../scripts/commands/table.js';
import { UserError } from '../../shared/errors.js';

/** A table with the command `dig`, which does `act`, and a second command that must not be loaded. */
function tableOf(act: (options: object) => Promise<void> = async () => undefined): CommandEntry[] {
  return [
    {
      name: 'dig',
      summary: 'digs',
      load: async () => ({ define: (command) => void command.option('--deep <M>').action(act) }),
    },
    {
      name: 'idle',
      summary: 'is not used',
      load: () => Promise.reject(new Error('loaded, though it is not used')),
    },
  ];
}

/** Runs the program and returns its exit status and the lines that it printed for people. */
async function run(
  args: string[],
  table: readonly CommandEntry[] = tableOf(),
  { interrupted = new AbortController().signal, env = {} } = {},
): Promise<{ status: number; lines: string[] }> {
  const lines: string[] = [];
  const terminal: CommandContext['terminal'] = {
    say: (line) => void lines.push(line),
    print: () => undefined,
    result: () => undefined,
    stderr: process.stderr,
  };
  const status = await runProgram(
    args,
    table,
    { terminal, interrupted, interrupt: () => {}, hold: () => () => {} },
    env,
  );
  return { status, lines };
}

describe('the program', () => {
  it('runs a command and loads no other', async () => {
    const seen: object[] = [];
    const table = tableOf(async (options) => void seen.push(options));
    expect(await run(['dig', '--deep', '3'], table)).toEqual({ status: 0, lines: [] });
    expect(seen).toEqual([{ deep: '3' }]);
  });

  it.each([
    [[], 'unisum: no command given: use dig or idle, or --help'],
    [['dog'], "unisum: unknown command 'dog' (Did you mean dig?)"],
    [['plant'], "unisum: unknown command 'plant'; --help shows the usage"],
    [['dig', '--depe', '3'], "unisum: unknown option '--depe' (Did you mean --deep?)"],
    [['dig', '--zzz'], "unisum: unknown option '--zzz'; --help shows the usage"],
    [['dig', '--deep'], "unisum: option '--deep <M>' argument missing; --help shows the usage"],
    [
      ['dig', 'here'],
      "unisum: too many arguments for 'dig'. Expected 0 arguments but got 1; --help shows the usage",
    ],
  ])('refuses wrong usage %j in one line, status 2', async (args, line) => {
    expect(await run(args)).toEqual({ status: 2, lines: [line] });
  });

  it('prints an error that the user can fix as it is, line by line, with its own status', async () => {
    const table = tableOf(async () => {
      throw new UserError('two things are missing:\n  a spade; bring one\n  gloves; bring a pair');
    });
    expect(await run(['dig'], table)).toEqual({
      status: 1,
      lines: ['unisum: two things are missing:\n  a spade; bring one\n  gloves; bring a pair'],
    });
  });

  it('prints a bug of its own in one line and offers the stack', async () => {
    const table = tableOf(async () => {
      throw new TypeError('broken');
    });
    expect(await run(['dig'], table)).toEqual({
      status: 1,
      lines: ['unisum: TypeError: broken (a bug in the program; UNISUM_STACK=1 shows where)'],
    });
    const { lines } = await run(['dig'], table, { env: { UNISUM_STACK: '1' } });
    expect(lines[0]).toMatch(/^unisum: TypeError: broken\n +at .*program\.test\.ts/);
  });

  it('exits with 130 when interrupted, whether the command then returns or fails', async () => {
    const interrupted = AbortSignal.abort();
    expect(await run(['dig'], tableOf(), { interrupted })).toEqual({ status: 130, lines: [] });
    const failing = tableOf(() => Promise.reject(new Error('cut short')));
    expect(await run(['dig'], failing, { interrupted })).toEqual({ status: 130, lines: [] });
  });

  it('refuses wrong usage of its real commands before they start', async () => {
    expect(await run(['train', 'mnist-mpl'], commands)).toEqual({
      status: 2,
      lines: ['unisum: there is no recipe "mnist-mpl"; did you mean mnist-mlp?'],
    });
    expect((await run(['train', '--bach', '1'], commands)).lines).toEqual([
      "unisum: unknown option '--bach' (Did you mean --batch?)",
    ]);
    for (const option of ['--leaf-size', '--leaf'])
      expect(await run(['train', option, '4096'], commands)).toEqual({
        status: 2,
        lines: ['unisum: --leaf-size 4096 exceeds the batch of 128 samples: take at most 128'],
      });
    expect((await run(['worker', 'nowhere'], commands)).status).toBe(2);
    expect(await run(['predict', 'model', '--out', 'predictions.arrow'], commands)).toEqual({
      status: 2,
      lines: ['unisum: --out writes text, not .arrow: name a file that ends in .csv'],
    });
    for (const [options, refusal] of [
      [['--scale', '--no-faults'], /--scale and --no-faults do not go together/],
      [['--fan-out', '3'], /--fan-out needs --scale/],
    ] as const) {
      const { status, lines } = await run(['simulate', ...options], commands);
      expect([status, lines.length]).toEqual([2, 1]);
      expect(lines[0]).toMatch(refusal);
    }
  });
});

describe('recipes', () => {
  it('are found by name', () => {
    expect(findRecipe(DEFAULT_RECIPE).name).toBe(DEFAULT_RECIPE);
  });

  it('are suggested, or listed when nothing is near', () => {
    const recipes = ['pear', 'plum'].map((name) => ({ ...findRecipe(DEFAULT_RECIPE), name }));
    expect(() => findRecipe('paer', recipes)).toThrow('there is no recipe "paer"; did you mean pear?');
    expect(() => findRecipe('vitest.config', recipes)).toThrow('the file of this name is vitest.config.ts');
    expect(() => findRecipe('toString', recipes)).toThrow('the recipes are: pear, plum');
  });
});
