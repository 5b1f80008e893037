import { beforeEach, describe, expect, it } from 'vitest';
import { replaceFile, type Storage } from '../../shared/files/storage.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What every storage must do, whatever it is made of. @param open a new one, empty, before each test */
export function storageSuite(open: () => Promise<Storage>): void {
  let storage: Storage;
  beforeEach(async () => {
    storage = await open();
  });
  const text = async (name: string): Promise<string> => new TextDecoder().decode(await storage.read(name));

  describe('a storage', () => {
    it('is empty at first', async () => {
      expect(await storage.list()).toEqual([]);
    });

    it('writes pieces one after the other, in place of what was there', async () => {
      await storage.write('a', [bytes('something longer')]);
      await storage.write('a', [bytes('x'), bytes(''), bytes('yz')]);
      await storage.sync();
      expect(await text('a')).toBe('xyz');
      expect(await storage.list()).toEqual(['a']);
    });

    it('renames over what has the name', async () => {
      await storage.write('a', [bytes('new')]);
      await storage.write('b', [bytes('old')]);
      await storage.rename('a', 'b');
      expect(await storage.list()).toEqual(['b']);
      expect(await text('b')).toBe('new');
    });

    it('removes, also what is not there', async () => {
      await storage.write('a', []);
      await storage.remove('a');
      await storage.remove('a');
      expect(await storage.list()).toEqual([]);
    });

    it('has no file to read or rename that was never written', async () => {
      await expect(storage.read('a')).rejects.toThrow();
      await expect(storage.rename('a', 'b')).rejects.toThrow();
    });

    it('replaces a file whole, or leaves it and nothing aside', async () => {
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
