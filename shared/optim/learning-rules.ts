/*
 * Learning rules: parameters that learn at another rate than the rest, decay otherwise, or have an optimizer of their own. A rule
 * multiplies learning rate and weight decay of its optimizer. The scalars of a step are stored once for each rule, one set after
 * another. Rules with the same optimizer share its state.
 */
import { assert, UserError } from '../errors.js';
import type { OwnOptimizer } from '../graph/model.js';
import { type Optimizer, type OptimizerState, type OptimizerStep, SCALARS_MAX } from './optimizer.js';

/** How parameters learn. */
export interface LearningRule {
  /** Multiples of the learning rate and of the weight decay. */
  readonly rate: number;
  readonly decay: number;
  /** Undefined: the optimizer of the run. */
  readonly optimizer: OwnOptimizer | undefined;
}

/** The rule of a parameter, as a model stores it; what is absent is 1, or the optimizer of the run. */
export interface OwnRule {
  readonly rate?: number | undefined;
  readonly decay?: number | undefined;
  readonly optimizer?: OwnOptimizer | undefined;
}

/** An optimizer, and its learning rate where the run has another one. */
export interface RuleOptimizer {
  readonly optimizer: Optimizer;
  learningRate(ofRun: number): number;
}

/** Scalars of one rule. */
const SET_SCALARS = 24;
/** Most rules of a model. */
const RULES_MAX = SCALARS_MAX / SET_SCALARS;

/** The rule of parameters without a rule of their own. */
const PLAIN: LearningRule = { rate: 1, decay: 1, optimizer: undefined };

/** Whether two parameters are updated alike. */
export function sameRule(a: OwnRule, b: OwnRule): boolean {
  return (
    (a.rate ?? 1) === (b.rate ?? 1) &&
    (a.decay ?? 1) === (b.decay ?? 1) &&
    keyOf(a.optimizer) === keyOf(b.optimizer)
  );
}

/** Two optimizers with the same key are one. */
function keyOf(optimizer: OwnOptimizer | undefined): string {
  return optimizer === undefined ? '' : JSON.stringify(optimizer);
}

/**
 * The rules of a model: first the plain one, then others in the order of the parameters.
 * @throws UserError when there are more than RULES_MAX
 */
export function rulesOf(parameters: readonly OwnRule[]): readonly LearningRule[] {
  const rules = [PLAIN];
  for (const { rate = 1, decay = 1, optimizer } of parameters)
    if (!rules.some((rule) => sameRule(rule, { rate, decay, optimizer })))
      rules.push({ rate, decay, optimizer });
  if (rules.length > RULES_MAX)
    throw new UserError(
      `the model has ${rules.length} different learning rates, decays and optimizers; use at most ${RULES_MAX}, the plain one included`,
    );
  return rules;
}

/**
 * An optimizer that updates by several rules (`UpdateCall.rule`).
 * @param create the optimizer of a rule, with the weight decay of the rule
 */
export function withRules(
  rules: readonly LearningRule[],
  create: (rule: LearningRule) => RuleOptimizer,
): Optimizer {
  const created = rules.map(create);
  const optimizers = created.map(({ optimizer }) => optimizer);
  const [plain] = optimizers;
  assert(plain !== undefined, 'a model has at least the plain rule');
  if (rules.length === 1) return plain;
  const keys = rules.map(({ optimizer }) => keyOf(optimizer));
  /** For each rule, the first with the same optimizer, whose state it uses. */
  const owners = keys.map((key) => keys.indexOf(key));
  const at = (scalars: number, rule: number): number => scalars + rule * SET_SCALARS * 4;
  const of = (rule: number): Optimizer => optimizers[rule] ?? plain;
  const withMatrices = optimizers.flatMap(({ matrices }) => matrices ?? []);
  return {
    buffers: Math.max(...optimizers.map(({ buffers }) => buffers)),
    hasDecay: optimizers.some(({ hasDecay }) => hasDecay),
    init: () => joined([...new Set(owners)].map((owner) => [owner, of(owner).init()])),
    update(before, learningRate): OptimizerStep {
      const steps = rules.map(({ rate }, i) => {
        const own = (created[i] as RuleOptimizer).learningRate(learningRate);
        return of(i).update(partOf(before, owners[i] as number), own * rate);
      });
      const scalars = steps.flatMap((step) => [
        ...step.scalars,
        ...Array.from({ length: SET_SCALARS - step.scalars.length }, () => 0),
      ]);
      const states = [...new Set(owners)].map(
        (owner) => [owner, (steps[owner] as OptimizerStep).state] as const,
      );
      return { state: joined(states), scalars };
    },
    emit(to, { rule = 0, ...call }) {
      of(rule).emit(to, { ...call, scalars: at(call.scalars, rule) });
    },
    ...(withMatrices.length > 0 && {
      matrices: {
        scratchFloats: (rows, cols) =>
          Math.max(...withMatrices.map((matrices) => matrices.scratchFloats(rows, cols))),
        emit(to, { rule = 0, ...call }) {
          const scalars = at(call.scalars, rule);
          const { matrices } = of(rule);
          if (matrices !== undefined) return matrices.emit(to, { ...call, scalars });
          const { weights, gradient, buffers, rows, cols } = call;
          of(rule).emit(to, { weights, gradient, buffers, n: rows * cols, scalars });
        },
      },
    }),
  };
}

/** The numbers of a rule's optimizer, by other names than those of the first rule. */
function prefixOf(owner: number): string {
  return owner === 0 ? '' : `${owner}/`;
}

function joined(states: readonly (readonly [owner: number, state: OptimizerState])[]): OptimizerState {
  return Object.fromEntries(
    states.flatMap(([owner, state]) =>
      Object.entries(state).map(([name, value]) => [`${prefixOf(owner)}${name}`, value]),
    ),
  );
}

function partOf(state: OptimizerState, owner: number): OptimizerState {
  const prefix = prefixOf(owner);
  const own = Object.entries(state).filter(([name]) =>
    owner === 0 ? !name.includes('/') : name.startsWith(prefix),
  );
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
}
