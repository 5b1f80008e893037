import type { GreedyRequest } from './greedy.js';

/** A request to decode with beam search. */
export interface BeamRequest extends GreedyRequest {
  /** The symbol that ends a row. */
  readonly end: number;
  /** Hypotheses per row that are kept at each position. */
  readonly width: number;
  /** Exponent alpha: scores are divided by ((5 + symbols) / 6)^alpha. Above 0, it offsets the lower scores of long rows. */
  readonly lengthPenalty: number;
}

/** A hypothesis of a row. */
interface Hypothesis {
  readonly symbols: readonly number[];
  /** Sum of ln p over the symbols. */
  readonly score: number;
}

/** The search for one row: open hypotheses, likeliest first, and complete ones. */
interface Search {
  readonly row: number;
  live: readonly Hypothesis[];
  ended: readonly Hypothesis[];
}

/**
 * Decodes each row by beam search (Graves, "Sequence transduction with recurrent neural networks", 2012) with the length
 * penalty of Wu et al. 2016. Of all continuations of a row's `width` hypotheses the likeliest are kept. Complete ones are
 * set aside; when there are `width` of them, the search ends with the best. The first of equals wins.
 *
 * @returns for each row its symbols, ending with `end` unless the length did not suffice
 */
export async function decodeByBeam(request: BeamRequest): Promise<Uint32Array[]> {
  const { rows, length, width, lengthPenalty, end } = request;
  const searches = Array.from({ length: rows }, (_, row): Search => {
    return { row, live: [{ symbols: [], score: 0 }], ended: [] };
  });
  const finalScore = ({ symbols, score }: Hypothesis) => score / ((5 + symbols.length) / 6) ** lengthPenalty;
  const best = (hypotheses: readonly Hypothesis[]) =>
    hypotheses.reduce((a, b) => (finalScore(b) > finalScore(a) ? b : a));
  for (let position = 0; position < length; position++) {
    const active = searches.filter(({ ended }) => ended.length < width);
    if (active.length === 0) break;
    const logitsOf = await predictNext(request, active, position);
    for (const search of active) {
      const next = search.live
        .flatMap((hypothesis) => continuations(hypothesis, logitsOf(hypothesis), width + 1))
        .sort((a, b) => b.score - a.score)
        .slice(0, 2 * width);
      const isEnded = ({ symbols }: Hypothesis) => symbols.at(-1) === end;
      search.ended = [...search.ended, ...next.slice(0, width).filter(isEnded)].slice(0, width);
      search.live = next.filter((hypothesis) => !isEnded(hypothesis)).slice(0, width);
    }
  }
  return searches.map(({ live, ended }) => Uint32Array.from(best(ended.length > 0 ? ended : live).symbols));
}

/** Runs the model once on all hypotheses. @returns the logits of the symbol that follows a hypothesis */
async function predictNext(
  { predictor, inputs, before, rows, length, start }: BeamRequest,
  searches: readonly Search[],
  position: number,
): Promise<(hypothesis: Hypothesis) => Float32Array> {
  const lines = searches.flatMap(({ row, live }) => live.map((hypothesis) => ({ row, hypothesis })));
  // A causal decoder does not see the symbols after a position, so they may be anything.
  const prefix = new Float32Array(lines.length * length).fill(start);
  lines.forEach(({ hypothesis }, i) => {
    prefix.set(hypothesis.symbols.slice(0, length - 1), i * length + 1);
  });
  const given = Object.entries(inputs).map(([name, values]): [string, Float32Array] => {
    const size = values.length / rows;
    const repeated = new Float32Array(lines.length * size);
    lines.forEach(({ row }, i) => {
      repeated.set(values.subarray(row * size, (row + 1) * size), i * size);
    });
    return [name, repeated];
  });
  const outputs = await predictor.predict({ ...Object.fromEntries(given), [before]: prefix });
  const classes = outputs.length / (lines.length * length);
  const places = new Map(lines.map(({ hypothesis }, i) => [hypothesis, (i * length + position) * classes]));
  return (hypothesis) => {
    const at = places.get(hypothesis) as number;
    return outputs.subarray(at, at + classes);
  };
}

/** The `count` likeliest continuations by one symbol. @param logits of each symbol */
function continuations({ symbols, score }: Hypothesis, logits: Float32Array, count: number): Hypothesis[] {
  const top = logits.reduce((a, b) => Math.max(a, b));
  const logSum = top + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0));
  const likeliest: number[] = [];
  for (let symbol = 0; symbol < logits.length; symbol++) {
    const logit = logits[symbol] as number;
    if (likeliest.length === count && logit <= (logits[likeliest[count - 1] as number] as number)) continue;
    let at = likeliest.length;
    while (at > 0 && (logits[likeliest[at - 1] as number] as number) < logit) at--;
    likeliest.splice(at, 0, symbol);
    if (likeliest.length > count) likeliest.pop();
  }
  return likeliest.map((symbol) => ({
    symbols: [...symbols, symbol],
    score: score + (logits[symbol] as number) - logSum,
  }));
}
