/**
 * Greedy decoding for connectionist temporal classification (Graves et al. 2006): the likeliest class at each step, with
 * equal neighbours merged and blanks (class 0) removed. Close to the likeliest sequence, since this loss makes outputs
 * sharp.
 *
 * @param outputs [rows, steps, classes], logits or probabilities
 * @returns the classes of each row
 */
export function decodeCtc(outputs: Float32Array, rows: number, classes: number): number[][] {
  const steps = outputs.length / (rows * classes);
  return Array.from({ length: rows }, (_, row) => {
    const decoded: number[] = [];
    let before = 0;
    for (let step = 0; step < steps; step++) {
      const at = (row * steps + step) * classes;
      let best = 0;
      for (let k = 1; k < classes; k++)
        if ((outputs[at + k] as number) > (outputs[at + best] as number)) best = k;
      if (best !== 0 && best !== before) decoded.push(best);
      before = best;
    }
    return decoded;
  });
}
