import { beforeEach, describe, expect, it } from 'vitest';
import { type DirectoryStorage, replaceFile } from '../../shared/files/storage.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Tests of what every storage guarantees. @param open returns a new, empty storage for each test */
export function storageSuite(open: () => Promise<DirectoryStorage>): void {
  let storage: DirectoryStorage;
  beforeEach(async () => {
    storage = await open();
  });
  const text = async (name: string): Promise<string> => new TextDecoder().decode(await storage.read(name));

  describe('a storage', () => {
    it('is empty at first', async () => {
      expect(await storage.list()).toEqual([]);
    });

    it('writes pieces one after another, and replaces an older file', async () => {
      await storage.write('a', [bytes('something longer')]);
      await storage.write('a', [bytes('x'), bytes(''), bytes('yz')]);
      await storage.sync();
      expect(await text('a')).toBe('xyz');
      expect(await storage.list()).toEqual(['a']);
    });

    it('reads parts of a file, and less where it ends', async () => {
      await storage.write('a', [bytes('something')]);
      const parts = storage.parts('a');
      const part = (from: number, count: number) => new TextDecoder().decode(parts.read(from, count));
      expect([parts.size, part(0, 4), part(4, 5), part(7, 5), part(9, 1)]).toEqual([
        9,
        'some',
        'thing',
        'ng',
        '',
      ]);
      expect(() => storage.parts('b')).toThrow();
    });

    it('renames, and replaces the file with the new name', async () => {
      await storage.write('a', [bytes('new')]);
      await storage.write('b', [bytes('old')]);
      await storage.rename('a', 'b');
      expect(await storage.list()).toEqual(['b']);
      expect(await text('b')).toBe('new');
    });

    it('removes files, also missing ones', async () => {
      await storage.write('a', []);
      await storage.remove('a');
      await storage.remove('a');
      expect(await storage.list()).toEqual([]);
    });

    it('rejects reading and renaming a missing file', async () => {
      await expect(storage.read('a')).rejects.toThrow();
      await expect(storage.rename('a', 'b')).rejects.toThrow();
    });

    it('replaces a file completely, or leaves it and no temporary file', async () => {
      await replaceFile(storage, 'a', [bytes('old')]);
      await replaceFile(storage, 'a', [bytes('new')]);
      function* failing(): Generator<Uint8Array> {
        yield bytes('half');
        throw new Error('no more');
      }
      await expect(replaceFile(storage, 'a', failing())).rejects.toThrow('no more');
      expect(await storage.list()).toEqual(['a']);
      expect(await text('a')).toBe('new');
    });
  });
}
