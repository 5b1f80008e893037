import type { GreedyRequest } from './greedy.js';

/** How a decoder is asked for the likeliest of many ways to go on. */
export interface BeamRequest extends GreedyRequest {
  /** The symbol that nothing follows. */
  readonly end: number;
  /** Beginnings of a row that are followed side by side. */
  readonly width: number;
  /** Exponent alpha of what scores are divided by, ((5 + symbols) / 6)^alpha: above 0, long rows are not at a loss. */
  readonly lengthPenalty: number;
}

/** A row as far as it is written. */
interface Beginning {
  readonly symbols: readonly number[];
  /** Sum of the symbols' ln p. */
  readonly score: number;
}

/** A row under way: beginnings from the likeliest to the least likely, and whole ones with their final score. */
interface Search {
  readonly row: number;
  live: readonly Beginning[];
  ended: readonly Beginning[];
}

/**
 * Writes each row by beam search (Graves, "Sequence transduction with recurrent neural networks", 2012) with the length
 * penalty of Wu et al. 2016: of all ways to go on with a row's `width` beginnings the likeliest are kept; one that ends is
 * set aside, and when there are `width` of those the best is taken. Of equals, the one met first.
 *
 * @returns for each row its symbols, the end as the last one unless there was no room for it
 */
export async function decodeByBeam(request: BeamRequest): Promise<Uint32Array[]> {
  const { rows, length, width, lengthPenalty, end } = request;
  const searches = Array.from({ length: rows }, (_, row): Search => {
    return { row, live: [{ symbols: [], score: 0 }], ended: [] };
  });
  const finalScore = ({ symbols, score }: Beginning) => score / ((5 + symbols.length) / 6) ** lengthPenalty;
  const best = (beginnings: readonly Beginning[]) =>
    beginnings.reduce((a, b) => (finalScore(b) > finalScore(a) ? b : a));
  for (let position = 0; position < length; position++) {
    const active = searches.filter(({ ended }) => ended.length < width);
    if (active.length === 0) break;
    const logitsOf = await askFor(request, active, position);
    for (const search of active) {
      const next = search.live
        .flatMap((beginning) => continuations(beginning, logitsOf(beginning), width + 1))
        .sort((a, b) => b.score - a.score)
        .slice(0, 2 * width);
      const isEnded = ({ symbols }: Beginning) => symbols.at(-1) === end;
      search.ended = [...search.ended, ...next.slice(0, width).filter(isEnded)].slice(0, width);
      search.live = next.filter((beginning) => !isEnded(beginning)).slice(0, width);
    }
  }
  return searches.map(({ live, ended }) => Uint32Array.from(best(ended.length > 0 ? ended : live).symbols));
}

/** Asks the model once for all beginnings of the rows. @returns the logits of each symbol behind a beginning */
async function askFor(
  { predictor, inputs, before, rows, length, start }: BeamRequest,
  searches: readonly Search[],
  position: number,
): Promise<(beginning: Beginning) => Float32Array> {
  const lines = searches.flatMap(({ row, live }) => live.map((beginning) => ({ row, beginning })));
  // What stands behind a position is not seen by a causal decoder: it may be anything.
  const prefix = new Float32Array(lines.length * length).fill(start);
  lines.forEach(({ beginning }, i) => {
    prefix.set(beginning.symbols.slice(0, length - 1), i * length + 1);
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
  const places = new Map(lines.map(({ beginning }, i) => [beginning, (i * length + position) * classes]));
  return (beginning) => {
    const at = places.get(beginning) as number;
    return outputs.subarray(at, at + classes);
  };
}

/** The `count` likeliest ways to go on by a symbol. @param logits of each symbol */
function continuations({ symbols, score }: Beginning, logits: Float32Array, count: number): Beginning[] {
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
