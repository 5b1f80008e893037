/**
 * Measures the mathematical kernels on all 2^32 floats and prints the table of docs/numerics.md; fails when the error of one
 * exceeds 2 ulp. Takes some minutes for each function.
 *
 *     npx tsx scripts/dev/check-math.ts [kernel ...]
 */
import { loadKernels } from '../../shared/kernels/load.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../shared/kernels/memory-map.js';
import { MATH_KERNELS, MEASURE_BYTES, measureErrors } from './kernels/math-errors.js';

const ULP_MAX = 2;
const names = process.argv.slice(2);
const unknown = names.filter((name) => !MATH_KERNELS.some((kernel) => kernel === name));
if (unknown.length > 0) {
  process.stderr.write(`unknown kernel ${unknown.join(', ')}; use ${MATH_KERNELS.join(', ')}\n`);
  process.exit(2);
}
const stackTop = STATIC_BYTES + THREAD_BYTES;
const pages = Math.ceil((stackTop + MEASURE_BYTES) / 65536);
const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
const kernels = await loadKernels({ memory, backend: 'auto', stackTop });
process.stdout.write(
  '| kernel | largest error (ulp) | at | not the nearest float |\n| --- | --- | --- | --- |\n',
);
for (const kernel of MATH_KERNELS.filter((name) => names.length === 0 || names.includes(name))) {
  const { worstUlp, at, misrounded } = measureErrors(kernel, { kernels, memory });
  if (!(worstUlp <= ULP_MAX)) process.exitCode = 1;
  const share = `${(misrounded * 100).toFixed(2)} %`;
  process.stdout.write(`| ${kernel} | ${worstUlp.toFixed(3)} | ${at} | ${share} |\n`);
}
