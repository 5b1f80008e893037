import { recipeKey } from '../../trainer/recipe.js';
import type { RunRecord } from './run-record.js';

/** Settings that are said in another way, or belong to one command line. */
const LEFT_OUT = ['recipe', 'length', 'json', 'runDir', 'listen', 'certificate', 'keepCheckpoints'];

/** Names and values, as text; nested settings have names such as optimizer.learningRate. */
export type SettingTexts = Readonly<Record<string, string>>;

/** All that decides the weights of a run: network, data and code by their hashes. */
export function weightSettingsOf({ legs }: Pick<RunRecord, 'legs'>): SettingTexts {
  const leg = legs.at(-1);
  if (leg === undefined) return {};
  const { recipe, settings, testData, validationData, weights, code } = leg;
  return flattened({
    recipe: recipeKey(recipe),
    ...settings,
    ...{
      testData,
      ...(validationData !== undefined && { validationData }),
      firstWeights: weights ?? 'drawn',
    },
    ...{ version: code.version, kernels: code.kernels },
  });
}

/** What a run was asked for besides, which changes no bit of its weights. */
export function otherSettingsOf(run: Pick<RunRecord, 'legs' | 'config'>): SettingTexts {
  const known = weightSettingsOf(run);
  const others = Object.entries(flattened(run.config.config)).filter(
    ([name]) => known[name] === undefined && !LEFT_OUT.includes(name.split('.')[0] ?? ''),
  );
  return Object.fromEntries(others.filter(([name]) => name !== 'sync'));
}

function flattened(values: Readonly<Record<string, unknown>>, before = ''): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(values)) {
    const name = `${before}${key}`;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      Object.assign(texts, flattened(value as Readonly<Record<string, unknown>>, `${name}.`));
    else if (value !== null && value !== undefined)
      texts[name] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  return texts;
}
