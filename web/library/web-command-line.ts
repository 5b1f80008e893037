/** A command of this program as its documentation writes it: a page has no installation. @param args such as "import FILE" */
export function commandLine(args: string): string {
  return `npx unisum ${args}`;
}
