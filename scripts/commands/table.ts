import type { CommandEntry } from './command.js';

/** Every command of the program, in the order of `unisum --help`. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'train',
    summary: 'train a network on this machine and on every machine that joins',
    load: () => import('./train.js'),
  },
  {
    name: 'worker',
    summary: 'join a run with this machine',
    load: () => import('./worker.js'),
  },
  {
    name: 'relay',
    summary: 'pass a run on to many workers, and their sums back as one worker',
    load: () => import('./relay.js'),
  },
  {
    name: 'watch',
    summary: 'follow the progress of a run from anywhere',
    load: () => import('./watch.js'),
  },
  {
    name: 'control',
    summary: 'pause, resume, save or stop a run, and remove members from it',
    load: () => import('./control.js'),
  },
  {
    name: 'eval',
    summary: 'evaluate a trained model on test data',
    load: () => import('./eval.js'),
  },
  {
    name: 'predict',
    summary: 'run a trained model on inputs',
    load: () => import('./predict.js'),
  },
  {
    name: 'generate',
    summary: 'continue a text with a language model',
    load: () => import('./generate.js'),
  },
  {
    name: 'export',
    summary: 'write weights and network for other tools',
    load: () => import('./export.js'),
  },
  {
    name: 'import',
    summary: 'read a network that was trained elsewhere',
    load: () => import('./import.js'),
  },
  {
    name: 'inspect',
    summary: 'show what would be learned from your data, and write a first recipe for it',
    load: () => import('./inspect.js'),
  },
  {
    name: 'verify',
    summary: 'replay a run and compare it with its log',
    load: () => import('./verify.js'),
  },
  {
    name: 'runs',
    summary: 'list, show, compare and remove runs',
    load: () => import('./runs.js'),
  },
  {
    name: 'view',
    summary: 'go to any step of a run in a browser, and see every number there',
    load: () => import('./view.js'),
  },
  {
    name: 'receipt',
    summary: 'write a small file by which others can verify a run',
    load: () => import('./receipt.js'),
  },
  {
    name: 'bisect',
    summary: 'find the first step, leaf and op at which two runs part',
    load: () => import('./bisect.js'),
  },
  {
    name: 'report',
    summary: 'write the page of a run: curves, settings, events, hashes',
    load: () => import('./report.js'),
  },
  {
    name: 'lr-find',
    summary: 'find a good initial learning rate',
    load: () => import('./lr-find.js'),
  },
  {
    name: 'sweep',
    summary: 'train a recipe with many settings, one after the other, and compare the results',
    load: () => import('./sweep.js'),
  },
  {
    name: 'slurm',
    summary: 'train on the nodes of a Slurm cluster',
    load: () => import('./slurm.js'),
  },
  {
    name: 'recipes',
    summary: 'train all recipes and check their results',
    load: () => import('./check-recipes.js'),
  },
  {
    name: 'explain',
    summary: 'print one step of backpropagation on a small network, number by number',
    load: () => import('./explain.js'),
  },
  {
    name: 'doctor',
    summary: 'check this machine, and say what would make training faster',
    load: () => import('./doctor.js'),
  },
  {
    name: 'bench',
    summary: 'measure training steps, kernels and scaling on this machine',
    load: () => import('./bench.js'),
  },
  {
    name: 'simulate',
    summary: 'run coordinator and workers over a faulty network, in virtual time',
    load: () => import('./simulate.js'),
  },
];
