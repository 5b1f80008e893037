/**
 * What a network says that was trained by connectionist temporal classification: at each step its likeliest class, equal
 * neighbours merged, blanks (class 0) removed. Nearly the likeliest sequence where outputs are as sharp as that loss
 * makes them (Graves et al. 2006).
 *
 * @param outputs [rows, steps, classes], logits or probabilities
 * @returns the classes that each row says
 */
export function decodeCtc(outputs: Float32Array, rows: number, classes: number): number[][] {
  const steps = outputs.length / (rows * classes);
  return Array.from({ length: rows }, (_, row) => {
    const said: number[] = [];
    let before = 0;
    for (let step = 0; step < steps; step++) {
      const at = (row * steps + step) * classes;
      let best = 0;
      for (let k = 1; k < classes; k++)
        if ((outputs[at + k] as number) > (outputs[at + best] as number)) best = k;
      if (best !== 0 && best !== before) said.push(best);
      before = best;
    }
    return said;
  });
}
