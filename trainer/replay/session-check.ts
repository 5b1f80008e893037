import { recordText } from '../../coordinator/storage/record-text.js';
import type { RunConfig } from '../../coordinator/storage/run-config.js';
import { createPlan } from '../../shared/compiler/plan.js';
import { UserError } from '../../shared/errors.js';
import { differences, fingerprint, weightSettings } from '../learning-settings.js';
import { type Leg, placeOf } from './recorded-run.js';
import type { SessionRequest } from './replay.js';

/** A session, as its recipe and the options of its command line make it. */
export interface ResolvedSession {
  readonly request: SessionRequest;
  /** A run or file whose weights it begins with; undefined: it draws them. */
  readonly weights: string | undefined;
  /** All settings, as config.json holds them. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Makes a session of what was recorded. @throws UserError when recipe or data are not to be had, or the options make no sense */
export type SessionResolver = (session: {
  readonly recipe: string;
  readonly options: Leg['options'];
  readonly config: RunConfig['config'];
}) => Promise<ResolvedSession>;

/**
 * Makes the sessions of a run.
 * @param config of its latest session
 * @throws UserError when the recorded settings are not those that recipe, data and options make
 */
export async function resolveLegs(
  legs: readonly Leg[],
  config: RunConfig['config'],
  resolve: SessionResolver,
): Promise<ReadonlyMap<Leg, ResolvedSession>> {
  const sessions = new Map<Leg, ResolvedSession>();
  for (const leg of legs) {
    const session = await resolve({ recipe: leg.recipe, options: leg.options, config });
    compareSettings(session, leg);
    sessions.set(leg, session);
  }
  return sessions;
}

/** @throws UserError when the recorded settings are not those that recipe, data and options make */
function compareSettings(
  { request }: ResolvedSession,
  { settings, testData, validationData, evaluationMetrics, line }: Leg,
): void {
  const { recipe, data } = request;
  const made = weightSettings(request, createPlan(recipe.model(data)).model);
  const [difference] = differences(made, settings);
  if (difference !== undefined)
    throw new UserError(
      `${placeOf(line)} records other settings: ${difference}; check recipe, data and version`,
    );
  if ((data.test === undefined ? null : fingerprint(data.test.manifest)) !== testData)
    throw new UserError(`${placeOf(line)} records other test data; check the data`);
  if ((data.validation && fingerprint(data.validation.manifest)) !== validationData)
    throw new UserError(`${placeOf(line)} records other validation data; check the data`);
  const metrics = recipe.evaluationMetrics?.map(({ name }) => name);
  if (JSON.stringify(metrics) !== JSON.stringify(evaluationMetrics))
    throw new UserError(`${placeOf(line)} records other metrics; check recipe and options`);
}

/** config.json is a copy for people and for --resume. @throws UserError when it says something else than the record */
export function compareConfig(config: RunConfig, leg: Leg, { config: settings }: ResolvedSession): void {
  // Where files and output went is no matter of the run. Another version may have had fewer settings.
  const { runDir: _, json: __, ...recorded } = config.config;
  const made = Object.fromEntries(Object.keys(recorded).map((name) => [name, settings[name]]));
  const pairs: Readonly<Record<string, readonly [unknown, unknown]>> = {
    recipe: [config.recipe, leg.recipe],
    options: [config.options, leg.options],
    config: [recorded, made],
  };
  for (const [name, [is, was]] of Object.entries(pairs))
    if (recordText({ value: is }) !== recordText({ value: was }))
      throw new UserError(`config.json and the record differ in "${name}"`);
}
