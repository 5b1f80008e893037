import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FoundClasses, readClassFolders, readKnownClasses } from '../../shared/data/class-folders.js';
import type { ClassFolderKind } from '../../shared/data/folder-listing.js';
import { UserError } from '../../shared/errors.js';
import { temporaryFolder } from '../support/process.js';

const KIND: ClassFolderKind = {
  what: 'poems',
  example: 'odes',
  extensions: ['.txt', '.text'],
  others: /^\.doc$/i,
  convert: (files) => `catdoc ${files}`,
};

/** A folder `poems`: of files by path, and links by path (a target that begins with "->"). */
function folderOf(files: readonly string[], links: Readonly<Record<string, string>> = {}): string {
  const folder = join(temporaryFolder(), 'poems');
  mkdirSync(folder);
  for (const path of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(join(folder, path), path.replace(/^.*\//, ''));
    else mkdirSync(join(folder, path), { recursive: true });
  }
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(target, join(folder, path));
  }
  return folder;
}

/** Paths in the order in which they are read, by class, `+` before those that are measured on. */
async function read(folder: string, share = 0.5): Promise<FoundClasses & { readonly found: string[] }> {
  const found: string[] = [];
  const answer = await readClassFolders(folder, KIND, { share }, ({ path, label, isTest }) => {
    found.push(`${label}${isTest ? '+' : ':'}${path.slice(folder.length + 1)}`);
  });
  return { ...answer, found, notes: answer.notes.map((note) => note.replaceAll(folder, 'poems')) };
}

describe('folders of classes', () => {
  it('are read in code unit order, with a note of what was found', async () => {
    const folder = folderOf(['b/2.txt', 'b/1.TXT', 'a/3.txt', 'Z/4.text', 'b/notes.md', 'README']);
    const { classes, found, notes } = await read(folder, 0.001);
    expect(classes).toEqual(['Z', 'a', 'b']);
    expect(found).toEqual([...['0:Z/4.text', '1:a/3.txt', '2:b/1.TXT', '2:b/2.txt']]);
    expect(notes).toEqual([
      'poems: 4 poems in 3 classes (Z 1, a 1, b 2); 0 are held out by a hash of the file',
      'ignored, other file types: README, b/notes.md',
    ]);
  });

  it('that were named one level too high or too low say which folder to name', async () => {
    const folder = folderOf(['all/poets/a/1.txt', 'all/poets/b/2.txt', 'train/a/3.txt', 'test/a/4.txt']);
    await expect(read(join(folder, 'all'))).rejects.toThrow(
      `${folder}/all/poets/a is a folder inside a class folder; if the classes are the folders in ${folder}/all/poets, name ` +
        'that; otherwise move its poems up',
    );
    await expect(read(join(folder, 'all', 'poets', 'a'))).rejects.toThrow(
      /poets\/a has no folders; it holds 1 poems, as the folder of one class does: if .* name \S+\/all\/poets; otherwise create/,
    );
    const { notes } = await read(join(folder, 'train'));
    expect(notes.join('\n')).toMatch(
      /^poems is a split, and test beside it is not used; to use it, name \S+poems$/m,
    );
    expect((await read(join(folder, 'all', 'poets'))).notes).toHaveLength(1);
  });

  it('that look alike are told', async () => {
    const { classes, notes } = await read(folderOf(['caf\u00e9/1.txt', 'cafe\u0301/2.txt', 'tea/3.txt']));
    expect(classes).toEqual(['cafe\u0301', 'caf\u00e9', 'tea']);
    expect(notes.at(-1)).toMatch(
      /has classes that differ only in invisible characters: "cafe\\u0301", "caf\\u00e9"; write them alike/,
    );
  });

  it('may be empty, with a note', async () => {
    const { classes, notes } = await read(folderOf(['a/1.txt', 'none/']));
    expect(classes).toEqual(['a', 'none']);
    expect(notes).toContain(
      'no poems to train on in: none; add some, or remove the folder if it is not a class',
    );
  });

  it('with identical files in several classes are read, with a note', async () => {
    const { notes } = await read(folderOf(['a/1.txt', 'a/2.txt', 'b/1.txt', 'c/1.txt', 'c/3.txt']));
    expect(notes.at(-1)).toBe(
      '2 of the poems are also in another class (identical files), such as b/1.txt and a/1.txt: at most one class is right; ' +
        'remove the others',
    );
    expect((await read(folderOf(['a/1.txt', 'b/2.txt']))).notes).toHaveLength(1);
  });

  it('are told by the same names, however the folder is named', async () => {
    const folder = folderOf(['a/1.txt', 'b/1.txt', 'README']);
    const { notes } = await readClassFolders(`${folder}/./`, KIND, {}, () => {});
    expect(notes).toContain('ignored, other file types: README');
    expect(notes.at(-1)).toMatch(/such as b\/1\.txt and a\/1\.txt:/);
  });

  it('of a single class are read, with a note', async () => {
    const { notes } = await read(folderOf(['a/1.txt', 'a/2.txt']), 0.001);
    expect(notes).toEqual([
      'poems: 2 poems in 1 class (a 2); 0 are held out by a hash of the file',
      'there is a single class, so there is nothing to learn',
    ]);
  });

  it('do not include system folders', async () => {
    const system = [
      '__MACOSX/a/._1.txt',
      '.git/x.txt',
      '@eaDir/1.txt',
      'a/@eaDir/2.txt',
      'a/.DS_Store',
      'a/._1.txt',
    ];
    const { classes, found, notes } = await read(
      folderOf(['a/1.txt', ...system, 'lost+found/', '$RECYCLE.BIN/1.txt']),
    );
    expect(classes).toEqual(['a']);
    expect(found).toHaveLength(1);
    expect(notes.at(-1)).toMatch(
      /^ignored, hidden or system entries: \$RECYCLE\.BIN, \.git, @eaDir, __MACOSX, .* and \d more$/,
    );
  });

  it('may be links, and contain links', async () => {
    const elsewhere = folderOf(['more/5.txt']);
    const links = { b: join(elsewhere, 'more'), 'a/2.txt': join(elsewhere, 'more/5.txt') };
    const { classes, found } = await read(folderOf(['a/1.txt'], links));
    expect(classes).toEqual(['a', 'b']);
    expect(found.map((path) => path.slice(2))).toEqual(['a/1.txt', 'a/2.txt', 'b/5.txt']);
  });

  it('end in an error when links form a circle or are broken', async () => {
    await expect(read(folderOf(['a/1.txt'], { b: '.' }))).rejects.toThrow(
      /poems\/b\/a is a folder inside a class folder/,
    );
    await expect(read(folderOf(['a/1.txt'], { b: 'b' }))).rejects.toThrow(
      /cannot follow the link .*b: its symbolic links form a circle/,
    );
    await expect(read(folderOf(['a/1.txt'], { 'a/b': '..' }))).rejects.toThrow(
      /a\/b is a folder inside a class folder/,
    );
    await expect(read(folderOf(['a/1.txt'], { 'a/2.txt': 'gone' }))).rejects.toThrow(
      /a\/2\.txt is a broken link; fix or remove it/,
    );
  });

  it('with samples beside them are read, with a note of these', async () => {
    const { notes } = await read(folderOf(['a/1.txt', '2.txt', '3.txt']));
    expect(notes).toContain('ignored, poems outside of class folders: 2.txt, 3.txt');
  });
});

describe('splits', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['train and test', ['train', 'test'], ['train', 'test']],
    ['train and val', ['train', 'val'], ['train', 'val']],
    ['in capitals', ['TRAIN', 'Test'], ['TRAIN', 'Test']],
    ['written out', ['Training', 'Validation'], ['Training', 'Validation']],
    ['training and testing', ['training', 'testing'], ['training', 'testing']],
    ['valid', ['train', 'valid'], ['train', 'valid']],
    ['three: val is used, test is not', ['train', 'val', 'test'], ['train', 'val']],
    ['beside system folders', ['train', 'test', '__MACOSX'], ['train', 'test']],
  ])('%s', async (_, folders, [train, test]) => {
    const files = folders.flatMap((folder) => [`${folder}/b/${folder}2.txt`, `${folder}/a/${folder}1.txt`]);
    const { classes, found, notes } = await read(folderOf(files));
    expect(classes).toEqual(['a', 'b']);
    expect(found).toEqual([
      ...[`0:${train}/a/${train}1.txt`, `0+${test}/a/${test}1.txt`],
      ...[`1:${train}/b/${train}2.txt`, `1+${test}/b/${test}2.txt`],
    ]);
    expect(notes[0]).toBe(
      `poems: 4 poems in 2 classes (a 2, b 2); 2 in ${train} for training, 2 in ${test} for evaluation`,
    );
    if (folders.length === 3 && folders[2] === 'test')
      expect(notes.at(-1)).toBe(
        'poems/test is not used in training; poems/val is. Evaluate the trained model on the former with: ' +
          'npm run -s unisum -- eval RUN --data poems/test',
      );
  });

  it('may be train alone, of which a share is held out', async () => {
    const files = Array.from({ length: 20 }, (_, i) => `train/${i % 2 ? 'a' : 'b'}/${i}.txt`);
    const { classes, found } = await read(folderOf(files));
    expect(classes).toEqual(['a', 'b']);
    expect(found.filter((path) => path.includes('+')).length).toBeGreaterThan(3);
  });

  it('are classes when other folders stand beside them, or when train contains files', async () => {
    expect((await read(folderOf(['train/1.txt', 'bus/2.txt', 'car/3.txt']))).classes).toEqual([
      'bus',
      'car',
      'train',
    ]);
    expect((await read(folderOf(['train/1.txt', 'test/2.txt', 'other/3.txt']))).classes).toEqual([
      ...['other', 'test', 'train'],
    ]);
    expect((await read(folderOf(['Train/1.txt']))).classes).toEqual(['Train']);
  });

  it('without train are refused, unless they are classes', async () => {
    await expect(read(folderOf(['val/a/1.txt', 'test/a/2.txt']))).rejects.toThrow(
      /poems has test, val and no train; add a folder train for training, or name \S*poems\/test to evaluate/,
    );
    expect((await read(folderOf(['val/1.txt', 'test/2.txt']))).classes).toEqual(['test', 'val']);
  });

  it('with a class that train lacks are refused, also in the unused split', async () => {
    await expect(read(folderOf(['train/a/1.txt', 'test/b/2.txt']))).rejects.toThrow(
      /test\/b is a class that .*train does not have; its classes are a/,
    );
    await expect(read(folderOf(['train/a/1.txt', 'val/a/1.txt', 'test/b/2.txt']))).rejects.toThrow(
      /test\/b is a class that .*train does not have/,
    );
  });

  it('with the same meaning, or beside other folders, are refused', async () => {
    await expect(read(folderOf(['train/a/1.txt', 'Training/a/2.txt', 'test/a/3.txt']))).rejects.toThrow(
      /poems has Training, train, which mean the same split; merge them/,
    );
    await expect(read(folderOf(['train/a/1.txt', 'test/a/3.txt', 'notes/a/3.txt']))).rejects.toThrow(
      /poems has train, which contains folders, beside notes; keep only val and test beside train/,
    );
  });

  it('that share files are noted', async () => {
    const { notes } = await read(folderOf(['train/a/1.txt', 'test/a/1.txt', 'test/a/2.txt']));
    expect(notes.at(-1)).toBe(
      '1 of the poems in test are also in train (identical files): they measure what was memorised',
    );
  });
});

describe('invalid files', () => {
  const failing = (folder: string) =>
    readClassFolders(folder, KIND, {}, ({ path }) => {
      if (path.includes('bad')) throw new UserError(`${path} is bad; mend it`);
    });

  it('are reported all at once', async () => {
    await expect(failing(folderOf(['a/1.txt', 'a/bad.txt']))).rejects.toThrow(
      /^\S*\/poems\/a\/bad\.txt is bad; mend it$/,
    );
    const folder = folderOf(['a/1.txt', 'a/bad1.txt', 'b/bad2.txt', 'b/2.txt', 'b/bad3.txt']);
    await expect(failing(folder)).rejects.toThrow(
      [
        `${folder} has 3 problems:`,
        ...['a/bad1', 'b/bad2', 'b/bad3'].map((name) => `  ${folder}/${name}.txt is bad; mend it`),
      ].join('\n'),
    );
  });

  it('end the reading when there are too many', async () => {
    const files = Array.from({ length: 150 }, (_, i) => `a/bad${i}.txt`);
    await expect(failing(folderOf(files))).rejects.toThrow(
      /poems has 100 problems:(\n.*){20}\n {2}and 80 more$/,
    );
  });

  it('are told from bugs, whose errors pass through', async () => {
    const broken = readClassFolders(folderOf(['a/1.txt']), KIND, {}, () => {
      throw new TypeError('bug');
    });
    await expect(broken).rejects.toThrow(TypeError);
  });
});

describe('for a trained model', () => {
  const measured = async (folder: string, classes: readonly string[]) => {
    const found: string[] = [];
    await readKnownClasses(folder, KIND, classes, ({ path, label }) => {
      found.push(`${label}:${path.slice(folder.length + 1)}`);
    });
    return found;
  };

  it('a file has the class number from training', async () => {
    expect(await measured(folderOf(['b/1.txt', 'c/2.txt', 'c/3.txt']), ['c', 'a', 'b'])).toEqual([
      ...['2:b/1.txt', '0:c/2.txt', '0:c/3.txt'],
    ]);
  });

  it('every file is evaluated; in splits, the held-out ones', async () => {
    const files = ['train/a/1.txt', 'test/a/2.txt', 'test/b/3.txt', 'train/b/4.txt'];
    expect(await measured(folderOf(files), ['a', 'b'])).toEqual(['0:test/a/2.txt', '1:test/b/3.txt']);
  });

  it('an unknown class is refused', async () => {
    await expect(measured(folderOf(['a/1.txt', 'b/1.txt']), ['a'])).rejects.toThrow(
      /poems has classes that the model was not trained on: b; its classes are a/,
    );
  });
});
