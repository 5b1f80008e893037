import type { Recipe } from '../../../trainer/recipe.js';
import { gpt2 } from './gpt2.js';

/** With the vocabulary of GPT-2, whose table serves both ends. */
export const recipe: Recipe = gpt2({ vocabulary: 50_257, isTied: true });
