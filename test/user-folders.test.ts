import { expect, it } from 'vitest';
import { userCache, userHome, userSettings } from '../shared/user-folders.js';

it('has a home for every user', () => {
  expect(userHome(() => '/h')).toBe('/h');
  // HOME= in the environment: folders below it would be relative to the current one.
  expect(userHome(() => '')).toBe('/');
  const unknown = () => {
    throw new Error('uv_os_homedir returned ENOENT');
  };
  expect(userHome(unknown)).toBe('/');
});

it.skipIf(process.platform !== 'linux')('takes an empty variable for one that is not set', () => {
  for (const environment of [{}, { XDG_CACHE_HOME: '', XDG_CONFIG_HOME: '' }]) {
    expect(userCache(environment, '/h')).toBe('/h/.cache/unisum');
    expect(userSettings(environment, '/h')).toBe('/h/.config/unisum');
  }
  expect(userCache({ XDG_CACHE_HOME: '/c' }, '/h')).toBe('/c/unisum');
  expect(userSettings({ XDG_CONFIG_HOME: '/s' }, '/h')).toBe('/s/unisum');
});
