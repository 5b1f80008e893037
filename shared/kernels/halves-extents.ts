/** How far the offsets of the kernels that make numbers shorter, and longer again, reach. */
const to =
  (inEachWord: number) =>
  ({ n }: { readonly n: number }) => ({ a: n, out: Math.ceil(n / inEachWord) });
const from =
  (inEachWord: number) =>
  ({ n }: { readonly n: number }) => ({ a: Math.ceil(n / inEachWord), out: n });

export const HALVES_EXTENTS = {
  floatToBfloat16: to(2),
  bfloat16ToFloat: from(2),
  floatToFloat16: to(2),
  float16ToFloat: from(2),
  floatToInt8: ({ n }: { readonly n: number }) => ({ ...to(4)({ n }), scale: 1 }),
  int8ToFloat: ({ n }: { readonly n: number }) => ({ ...from(4)({ n }), scale: 1 }),
} as const;
