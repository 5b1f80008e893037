import type { Graph, LayerIdentity } from '../graph.js';

/**
 * For layers that consist of layers: creates each part once, on first use, under the name of the owner. Parameters are then
 * called `<owner>/<part>/...`, and a second use of the owner shares them.
 */
export function partsOf(
  owner: LayerIdentity,
): <L>(graph: Graph, part: string, make: (name: string) => L) => L {
  const known = new Map<string, unknown>();
  return <L>(graph: Graph, part: string, make: (name: string) => L): L => {
    const made = (known.get(part) as L | undefined) ?? make(`${graph.nameOf(owner)}/${part}`);
    known.set(part, made);
    return made;
  };
}
