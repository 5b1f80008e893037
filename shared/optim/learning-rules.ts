/*
 * Learning rules: parameters that learn at another rate than the rest, or decay otherwise. A rule multiplies the learning
 * rate and the weight decay of the run. The scalars of a step are stored once for each rule, one set after another.
 */
import { assert, UserError } from '../errors.js';
import { type Optimizer, type OptimizerStep, SCALARS_MAX } from './optimizer.js';

/** Multiples of the learning rate and of the weight decay of a run. */
export interface LearningRule {
  readonly rate: number;
  readonly decay: number;
}

/** The rule of a parameter, as a model stores it; what is absent is 1. */
export interface OwnRule {
  readonly rate?: number | undefined;
  readonly decay?: number | undefined;
}

/** Scalars of one rule. */
const SET_SCALARS = 24;
/** Most rules of a model. */
const RULES_MAX = SCALARS_MAX / SET_SCALARS;

/** The rule of parameters without a rule of their own. */
const PLAIN: LearningRule = { rate: 1, decay: 1 };

/** Whether two parameters are updated alike. */
export function sameRule(a: OwnRule, b: OwnRule): boolean {
  return (a.rate ?? 1) === (b.rate ?? 1) && (a.decay ?? 1) === (b.decay ?? 1);
}

/**
 * The rules of a model: first the plain one, then others in the order of the parameters.
 * @throws UserError when there are more than RULES_MAX
 */
export function rulesOf(parameters: readonly OwnRule[]): readonly LearningRule[] {
  const rules = [PLAIN];
  for (const { rate = 1, decay = 1 } of parameters)
    if (!rules.some((rule) => sameRule(rule, { rate, decay }))) rules.push({ rate, decay });
  if (rules.length > RULES_MAX)
    throw new UserError(
      `the model has ${rules.length} different learning rates and decays; use at most ${RULES_MAX}, the plain one included`,
    );
  return rules;
}

/**
 * An optimizer that updates by several rules (`UpdateCall.rule`).
 * @param create the optimizer whose weight decay is multiplied by a factor
 */
export function withRules(rules: readonly LearningRule[], create: (decay: number) => Optimizer): Optimizer {
  const optimizers = rules.map(({ decay }) => create(decay));
  const [plain] = optimizers;
  assert(plain !== undefined, 'a model has at least the plain rule');
  if (rules.length === 1) return plain;
  const { matrices } = plain;
  const at = (scalars: number, rule: number): number => scalars + rule * SET_SCALARS * 4;
  const of = (rule: number): Optimizer => optimizers[rule] ?? plain;
  return {
    buffers: plain.buffers,
    hasDecay: optimizers.some(({ hasDecay }) => hasDecay),
    init: () => plain.init(),
    update(before, learningRate): OptimizerStep {
      const steps = rules.map(({ rate }, i) => of(i).update(before, learningRate * rate));
      const scalars = steps.flatMap((step) => [
        ...step.scalars,
        ...Array.from({ length: SET_SCALARS - step.scalars.length }, () => 0),
      ]);
      return { state: (steps[0] as OptimizerStep).state, scalars };
    },
    emit(to, { rule = 0, ...call }) {
      of(rule).emit(to, { ...call, scalars: at(call.scalars, rule) });
    },
    ...(matrices && {
      matrices: {
        scratchFloats: matrices.scratchFloats,
        emit: (to, { rule = 0, ...call }) =>
          of(rule).matrices?.emit(to, { ...call, scalars: at(call.scalars, rule) }),
      },
    }),
  };
}
