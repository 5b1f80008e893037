/* Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): 60,000 + 10,000 images of ten kinds of clothing, in the format of MNIST. */
import { UserError } from '../../errors.js';
import { exists } from '../../files/read-file.js';
import { loadMnist, type Split } from './mnist.js';

/** The Debian package and its directory. */
const PACKAGE = 'dataset-fashion-mnist';
const PACKAGE_DIRECTORY = '/usr/share/datasets/fashion-mnist';

/**
 * Fashion-MNIST, with the fields of MNIST.
 * @param directory with the four IDX files; default: those of the Debian package
 * @throws UserError that says how to get the data, or names the file and the remedy
 */
export async function loadFashionMnist(directory?: string): Promise<Split> {
  if (directory === undefined && !(await exists(PACKAGE_DIRECTORY))) {
    throw new UserError(
      `Fashion-MNIST is not in ${PACKAGE_DIRECTORY}; run apt-get install ${PACKAGE}, or download its four files from ` +
        'https://github.com/zalandoresearch/fashion-mnist and name their folder with --data',
    );
  }
  return await loadMnist(directory ?? PACKAGE_DIRECTORY);
}
