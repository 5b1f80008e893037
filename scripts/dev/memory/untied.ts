import type { Recipe } from '../../../trainer/recipe.js';
import { gpt2 } from './gpt2.js';

/** With half the vocabulary of GPT-2, and a table for each end. */
export const recipe: Recipe = gpt2({ vocabulary: 25_128, isTied: false });
