/** Generated from the KERNEL prototypes by scripts/dev/build-kernels.ts; do not edit. */
#pragma once

#include "activations.c"
#include "attention.c"
#include "augmentation.c"
#include "axes.c"
#include "batch-normalization.c"
#include "block-quantization.c"
#include "clipping.c"
#include "convolution-weights.c"
#include "convolution.c"
#include "ctc.c"
#include "dropout.c"
#include "element-losses.c"
#include "elementwise.c"
#include "embedding.c"
#include "gather.c"
#include "half-precision.c"
#include "losses.c"
#include "muon.c"
#include "normalization.c"
#include "norms.c"
#include "optimizers.c"
#include "pooling.c"
#include "products.c"
#include "random.c"
#include "recurrent.c"
#include "rows.c"
#include "tree.c"
#include "vectors.c"

/** The address of an offset; offset 0 is NULL, "none". */
INLINE void *dispatch_pointer(const Thread *thread, u32 offset) { return offset ? thread->base + offset : 0; }

/**
 * Runs a command buffer: opcode, arguments, opcode, arguments, ... in words of 32 bits.
 * Returns 0, or 1 + the index of the word where an unknown opcode or an incomplete call starts.
 */
static i32 interpret(const Thread *thread, const u32 *commands, i32 words) {
  const u32 *word = commands, *end = commands + words;
  while (word < end) {
    switch (*word) {
      case 0:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_geluForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 1:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_geluBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4]);
        word += 5;
        break;
      case 2:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_siluForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 3:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_siluBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4]);
        word += 5;
        break;
      case 4:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_leakyReluForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], f32_from_bits(word[4]));
        word += 5;
        break;
      case 5:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_leakyReluBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], f32_from_bits(word[5]));
        word += 6;
        break;
      case 6:
        if (end - word < 15) return (i32)(word - commands) + 1;
        kernel_attentionForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), dispatch_pointer(thread, word[6]), (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14]);
        word += 15;
        break;
      case 7:
        if (end - word < 17) return (i32)(word - commands) + 1;
        kernel_attentionBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), dispatch_pointer(thread, word[6]), dispatch_pointer(thread, word[7]), dispatch_pointer(thread, word[8]), (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14], (i32)word[15], (i32)word[16]);
        word += 17;
        break;
      case 8:
        if (end - word < 10) return (i32)(word - commands) + 1;
        kernel_addNoise(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], f32_from_bits(word[9]));
        word += 10;
        break;
      case 9:
        if (end - word < 19) return (i32)(word - commands) + 1;
        kernel_windowForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14], (i32)word[15], (i32)word[16], (i32)word[17], (i32)word[18]);
        word += 19;
        break;
      case 10:
        if (end - word < 19) return (i32)(word - commands) + 1;
        kernel_windowBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14], (i32)word[15], (i32)word[16], (i32)word[17], (i32)word[18]);
        word += 19;
        break;
      case 11:
        if (end - word < 15) return (i32)(word - commands) + 1;
        kernel_maskBands(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14]);
        word += 15;
        break;
      case 12:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_copyRows(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4], (i32)word[5], (i32)word[6]);
        word += 7;
        break;
      case 13:
        if (end - word < 13) return (i32)(word - commands) + 1;
        kernel_permuteAxes(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12]);
        word += 13;
        break;
      case 14:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_repeatRows(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4], (i32)word[5]);
        word += 6;
        break;
      case 15:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_sumRepeats(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4], (i32)word[5]);
        word += 6;
        break;
      case 16:
        if (end - word < 11) return (i32)(word - commands) + 1;
        kernel_batchNormalizationForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], f32_from_bits(word[10]));
        word += 11;
        break;
      case 17:
        if (end - word < 10) return (i32)(word - commands) + 1;
        kernel_batchNormalizationInference(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), dispatch_pointer(thread, word[6]), (i32)word[7], (i32)word[8], f32_from_bits(word[9]));
        word += 10;
        break;
      case 18:
        if (end - word < 10) return (i32)(word - commands) + 1;
        kernel_batchNormalizationBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9]);
        word += 10;
        break;
      case 19:
        if (end - word < 11) return (i32)(word - commands) + 1;
        kernel_treeBatchNormalizationScale(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10]);
        word += 11;
        break;
      case 20:
        if (end - word < 9) return (i32)(word - commands) + 1;
        kernel_treeGroupStatistics(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7], f32_from_bits(word[8]));
        word += 9;
        break;
      case 21:
        if (end - word < 11) return (i32)(word - commands) + 1;
        kernel_encodeBlocks(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6], dispatch_pointer(thread, word[7]), (i32)word[8], (i32)word[9], (i32)word[10]);
        word += 11;
        break;
      case 22:
        if (end - word < 9) return (i32)(word - commands) + 1;
        kernel_quantizeBlocks(thread, dispatch_pointer(thread, word[1]), (i32)word[2], (i32)word[3], (i32)word[4], dispatch_pointer(thread, word[5]), (i32)word[6], (i32)word[7], (i32)word[8]);
        word += 9;
        break;
      case 23:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_decodeBlocks(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6]);
        word += 7;
        break;
      case 24:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_clampVector(thread, dispatch_pointer(thread, word[1]), (i32)word[2], f32_from_bits(word[3]));
        word += 4;
        break;
      case 25:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_shrinkVector(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], f32_from_bits(word[4]));
        word += 5;
        break;
      case 26:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_addPenalty(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], f32_from_bits(word[4]), f32_from_bits(word[5]));
        word += 6;
        break;
      case 27:
        if (end - word < 21) return (i32)(word - commands) + 1;
        kernel_treeConvolutionWeights(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14], (i32)word[15], (i32)word[16], (i32)word[17], (i32)word[18], (i32)word[19], (i32)word[20]);
        word += 21;
        break;
      case 28:
        if (end - word < 22) return (i32)(word - commands) + 1;
        kernel_convolution(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14], (i32)word[15], (i32)word[16], (i32)word[17], (i32)word[18], (i32)word[19], (i32)word[20], (i32)word[21]);
        word += 22;
        break;
      case 29:
        if (end - word < 22) return (i32)(word - commands) + 1;
        kernel_convolutionTransposed(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14], (i32)word[15], (i32)word[16], (i32)word[17], (i32)word[18], (i32)word[19], (i32)word[20], (i32)word[21]);
        word += 22;
        break;
      case 30:
        if (end - word < 9) return (i32)(word - commands) + 1;
        kernel_ctcForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8]);
        word += 9;
        break;
      case 31:
        if (end - word < 13) return (i32)(word - commands) + 1;
        kernel_dropoutForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], f32_from_bits(word[12]));
        word += 13;
        break;
      case 32:
        if (end - word < 8) return (i32)(word - commands) + 1;
        kernel_dropoutBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6], f32_from_bits(word[7]));
        word += 8;
        break;
      case 33:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_meanAbsoluteErrorForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5]);
        word += 6;
        break;
      case 34:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_meanAbsoluteErrorBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], f32_from_bits(word[6]));
        word += 7;
        break;
      case 35:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_huberForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], f32_from_bits(word[6]));
        word += 7;
        break;
      case 36:
        if (end - word < 8) return (i32)(word - commands) + 1;
        kernel_huberBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], f32_from_bits(word[6]), f32_from_bits(word[7]));
        word += 8;
        break;
      case 37:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_binaryCrossEntropyForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], (i32)word[6]);
        word += 7;
        break;
      case 38:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_binaryCrossEntropyBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], f32_from_bits(word[6]));
        word += 7;
        break;
      case 39:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_reluForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 40:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_reluBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4]);
        word += 5;
        break;
      case 41:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_sigmoidForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 42:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_sigmoidBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4]);
        word += 5;
        break;
      case 43:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_tanhForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 44:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_tanhBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4]);
        word += 5;
        break;
      case 45:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_exponential(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 46:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_logarithm(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 47:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_errorFunction(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 48:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_sine(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 49:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_cosine(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 50:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_squareRoot(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 51:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_reciprocalSquareRoot(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 52:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_embeddingForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6]);
        word += 7;
        break;
      case 53:
        if (end - word < 9) return (i32)(word - commands) + 1;
        kernel_treeScatterRows(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8]);
        word += 9;
        break;
      case 54:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_addToRows(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5]);
        word += 6;
        break;
      case 55:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_addSinusoids(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4], (i32)word[5]);
        word += 6;
        break;
      case 56:
        if (end - word < 12) return (i32)(word - commands) + 1;
        kernel_gatherU8(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], f32_from_bits(word[10]), f32_from_bits(word[11]));
        word += 12;
        break;
      case 57:
        if (end - word < 10) return (i32)(word - commands) + 1;
        kernel_gatherU8AsI32(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9]);
        word += 10;
        break;
      case 58:
        if (end - word < 10) return (i32)(word - commands) + 1;
        kernel_gatherWords(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9]);
        word += 10;
        break;
      case 59:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_floatToBfloat16(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 60:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_bfloat16ToFloat(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 61:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_roundToBfloat16(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 62:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_floatToFloat16(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 63:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_float16ToFloat(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 64:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_floatToInt8(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4]);
        word += 5;
        break;
      case 65:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_int8ToFloat(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4]);
        word += 5;
        break;
      case 66:
        if (end - word < 11) return (i32)(word - commands) + 1;
        kernel_softmaxCrossEntropySparseForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), dispatch_pointer(thread, word[6]), (i32)word[7], (i32)word[8], f32_from_bits(word[9]), (i32)word[10]);
        word += 11;
        break;
      case 67:
        if (end - word < 9) return (i32)(word - commands) + 1;
        kernel_softmaxCrossEntropySparseBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], f32_from_bits(word[6]), f32_from_bits(word[7]), (i32)word[8]);
        word += 9;
        break;
      case 68:
        if (end - word < 8) return (i32)(word - commands) + 1;
        kernel_softmaxCrossEntropyForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), (i32)word[6], (i32)word[7]);
        word += 8;
        break;
      case 69:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_softmaxCrossEntropyBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], f32_from_bits(word[6]));
        word += 7;
        break;
      case 70:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_crossEntropyForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], (i32)word[6]);
        word += 7;
        break;
      case 71:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_crossEntropyBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], f32_from_bits(word[6]));
        word += 7;
        break;
      case 72:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_meanSquaredErrorForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5]);
        word += 6;
        break;
      case 73:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_meanSquaredErrorBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], f32_from_bits(word[6]));
        word += 7;
        break;
      case 74:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_muonMomentum(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], dispatch_pointer(thread, word[5]));
        word += 6;
        break;
      case 75:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_normalizeVector(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], f32_from_bits(word[4]));
        word += 5;
        break;
      case 76:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_blendVectors(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], f32_from_bits(word[5]), f32_from_bits(word[6]));
        word += 7;
        break;
      case 77:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_muonUpdate(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], f32_from_bits(word[4]), dispatch_pointer(thread, word[5]));
        word += 6;
        break;
      case 78:
        if (end - word < 9) return (i32)(word - commands) + 1;
        kernel_layerNormalizationForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), (i32)word[6], (i32)word[7], f32_from_bits(word[8]));
        word += 9;
        break;
      case 79:
        if (end - word < 8) return (i32)(word - commands) + 1;
        kernel_layerNormalizationBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), (i32)word[6], (i32)word[7]);
        word += 8;
        break;
      case 80:
        if (end - word < 8) return (i32)(word - commands) + 1;
        kernel_treeLayerNormalizationScale(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], (i32)word[6], (i32)word[7]);
        word += 8;
        break;
      case 81:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_sumSquares(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4]);
        word += 5;
        break;
      case 82:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_treeTotal(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 83:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_sgdUpdate(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], dispatch_pointer(thread, word[5]));
        word += 6;
        break;
      case 84:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_adamUpdate(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], dispatch_pointer(thread, word[6]));
        word += 7;
        break;
      case 85:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_rmspropUpdate(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], dispatch_pointer(thread, word[6]));
        word += 7;
        break;
      case 86:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_adagradUpdate(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], dispatch_pointer(thread, word[5]));
        word += 6;
        break;
      case 87:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_lionUpdate(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], dispatch_pointer(thread, word[5]));
        word += 6;
        break;
      case 88:
        if (end - word < 15) return (i32)(word - commands) + 1;
        kernel_maxPoolForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14]);
        word += 15;
        break;
      case 89:
        if (end - word < 18) return (i32)(word - commands) + 1;
        kernel_maxPoolBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14], (i32)word[15], (i32)word[16], (i32)word[17]);
        word += 18;
        break;
      case 90:
        if (end - word < 15) return (i32)(word - commands) + 1;
        kernel_averagePoolForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14]);
        word += 15;
        break;
      case 91:
        if (end - word < 15) return (i32)(word - commands) + 1;
        kernel_averagePoolBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14]);
        word += 15;
        break;
      case 92:
        if (end - word < 9) return (i32)(word - commands) + 1;
        kernel_matmul(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8]);
        word += 9;
        break;
      case 93:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_matmulTransposedB(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6]);
        word += 7;
        break;
      case 94:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_randomUniform(thread, dispatch_pointer(thread, word[1]), (i32)word[2], (i32)word[3], (i32)word[4], f32_from_bits(word[5]), f32_from_bits(word[6]));
        word += 7;
        break;
      case 95:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_randomNormal(thread, dispatch_pointer(thread, word[1]), (i32)word[2], (i32)word[3], (i32)word[4], f32_from_bits(word[5]), f32_from_bits(word[6]));
        word += 7;
        break;
      case 96:
        if (end - word < 9) return (i32)(word - commands) + 1;
        kernel_addGradientNoise(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4], (i32)word[5], (i32)word[6], f32_from_bits(word[7]), f32_from_bits(word[8]));
        word += 9;
        break;
      case 97:
        if (end - word < 7) return (i32)(word - commands) + 1;
        kernel_randomTruncatedNormal(thread, dispatch_pointer(thread, word[1]), (i32)word[2], (i32)word[3], (i32)word[4], f32_from_bits(word[5]), f32_from_bits(word[6]));
        word += 7;
        break;
      case 98:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_orthonormalRows(thread, dispatch_pointer(thread, word[1]), (i32)word[2], (i32)word[3]);
        word += 4;
        break;
      case 99:
        if (end - word < 15) return (i32)(word - commands) + 1;
        kernel_lstmForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), dispatch_pointer(thread, word[6]), dispatch_pointer(thread, word[7]), dispatch_pointer(thread, word[8]), (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14]);
        word += 15;
        break;
      case 100:
        if (end - word < 15) return (i32)(word - commands) + 1;
        kernel_lstmBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), dispatch_pointer(thread, word[6]), dispatch_pointer(thread, word[7]), dispatch_pointer(thread, word[8]), (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13], (i32)word[14]);
        word += 15;
        break;
      case 101:
        if (end - word < 14) return (i32)(word - commands) + 1;
        kernel_gruForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), dispatch_pointer(thread, word[6]), dispatch_pointer(thread, word[7]), dispatch_pointer(thread, word[8]), (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12], (i32)word[13]);
        word += 14;
        break;
      case 102:
        if (end - word < 13) return (i32)(word - commands) + 1;
        kernel_gruBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), dispatch_pointer(thread, word[6]), dispatch_pointer(thread, word[7]), (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11], (i32)word[12]);
        word += 13;
        break;
      case 103:
        if (end - word < 12) return (i32)(word - commands) + 1;
        kernel_simpleRnnForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), dispatch_pointer(thread, word[6]), (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10], (i32)word[11]);
        word += 12;
        break;
      case 104:
        if (end - word < 11) return (i32)(word - commands) + 1;
        kernel_simpleRnnBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), dispatch_pointer(thread, word[5]), (i32)word[6], (i32)word[7], (i32)word[8], (i32)word[9], (i32)word[10]);
        word += 11;
        break;
      case 105:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_softmaxForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4]);
        word += 5;
        break;
      case 106:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_softmaxBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5]);
        word += 6;
        break;
      case 107:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_logSoftmaxForward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4]);
        word += 5;
        break;
      case 108:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_logSoftmaxBackward(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5]);
        word += 6;
        break;
      case 109:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_oneHot(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4]);
        word += 5;
        break;
      case 110:
        if (end - word < 8) return (i32)(word - commands) + 1;
        kernel_treeMatmulTransposedA(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7]);
        word += 8;
        break;
      case 111:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_treeSumRows(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4], (i32)word[5]);
        word += 6;
        break;
      case 112:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_addVectors(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4]);
        word += 5;
        break;
      case 113:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_subtractVectors(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4]);
        word += 5;
        break;
      case 114:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_multiplyVectors(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4]);
        word += 5;
        break;
      case 115:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_copyVector(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3]);
        word += 4;
        break;
      case 116:
        if (end - word < 4) return (i32)(word - commands) + 1;
        kernel_fill(thread, dispatch_pointer(thread, word[1]), (i32)word[2], f32_from_bits(word[3]));
        word += 4;
        break;
      case 117:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_scaleVector(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], f32_from_bits(word[4]));
        word += 5;
        break;
      case 118:
        if (end - word < 5) return (i32)(word - commands) + 1;
        kernel_moveAverage(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], f32_from_bits(word[4]));
        word += 5;
        break;
      case 119:
        if (end - word < 6) return (i32)(word - commands) + 1;
        kernel_affineVector(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], f32_from_bits(word[4]), f32_from_bits(word[5]));
        word += 6;
        break;
      default:
        return (i32)(word - commands) + 1;
    }
  }
  return 0;
}
