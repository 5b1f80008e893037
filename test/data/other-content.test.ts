import { expect, it } from 'vitest';
import { readWav } from '../../shared/data/audio/wav.js';
import { parseIdx } from '../../shared/data/images/idx.js';
import { readImage } from '../../shared/data/images/read-image.js';

const CONTENTS: readonly (readonly [content: string, message: string])[] = [
  ['', 'x is empty; download or save it again'],
  [
    'version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n',
    'x is a pointer of Git LFS in the place of the file; get the file with: git lfs pull',
  ],
  ['\n<!DOCTYPE html><title>404</title>', 'x is a web page in the place of the file; download it again'],
  ['\ufeff<html >', 'x is a web page in the place of the file; download it again'],
];

it.each(CONTENTS)('a file that is %j is called by what it is', async (content, message) => {
  const bytes = Buffer.from(content);
  await expect(readImage(bytes, 'x', 3)).rejects.toThrow(message);
  expect(() => readWav(bytes, 'x')).toThrow(message);
  expect(() => parseIdx(bytes, 'x')).toThrow(message);
});
