/**
 * The name of a user's or of our own function, for a message. In the package, functions of one name that came from two files are told
 * apart by a number, as in flatten$1.
 */
export function functionName({ name }: { readonly name: string }): string {
  return name.replace(/\$\d+$/, '');
}
