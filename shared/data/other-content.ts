/*
 * What downloads and version control leave in the place of a file.
 */

/** Most bytes that are looked at. */
const BEGIN_BYTES = 256;

/** What a file is instead of data, and the remedy; undefined when it may be data. */
export function otherContent(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'is empty; download or save it again';
  const begin = String.fromCharCode(...bytes.subarray(0, BEGIN_BYTES));
  if (begin.startsWith('version https://git-lfs.github.com/'))
    return 'is a pointer of Git LFS in the place of the file; get the file with: git lfs pull';
  if (/^(\xef\xbb\xbf)?\s*<(!doctype html|html)[\s>]/i.test(begin))
    return 'is a web page in the place of the file; download it again';
  return undefined;
}
