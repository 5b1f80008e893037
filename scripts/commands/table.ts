import type { CommandEntry } from './command.js';

/** Every command of the program, in the order of `unisum --help`. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'train',
    summary: 'train a network on this machine and on whatever joins',
    load: () => import('./train.js'),
  },
  {
    name: 'worker',
    summary: 'join a run with this machine',
    load: () => import('./worker.js'),
  },
  {
    name: 'watch',
    summary: 'follow the progress of a run from anywhere',
    load: () => import('./watch.js'),
  },
  {
    name: 'eval',
    summary: "measure a trained model on its recipe's test data",
    load: () => import('./eval.js'),
  },
  {
    name: 'predict',
    summary: 'what a trained model makes of inputs',
    load: () => import('./predict.js'),
  },
  {
    name: 'export',
    summary: 'write weights and network for other tools',
    load: () => import('./export.js'),
  },
  {
    name: 'verify',
    summary: 'do a run again and compare every step with what it says of itself',
    load: () => import('./verify.js'),
  },
  {
    name: 'lr-find',
    summary: 'find out which learning rate to begin with',
    load: () => import('./lr-find.js'),
  },
  {
    name: 'recipes',
    summary: 'train all recipes and check what they reach',
    load: () => import('./check-recipes.js'),
  },
  {
    name: 'explain',
    summary: 'walk one step of backpropagation on a small net, number by number',
    load: () => import('./explain.js'),
  },
  {
    name: 'bench',
    summary: 'measure steps, kernels and scaling on this machine',
    load: () => import('./bench.js'),
  },
  {
    name: 'simulate',
    summary: 'run coordinator and nodes over a network that fails, in virtual time',
    load: () => import('./simulate.js'),
  },
];
